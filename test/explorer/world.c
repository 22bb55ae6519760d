// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/world.h"

#include <string.h>

#include "rangemap/epoch/reclaim.h"
#include "test/explorer/judge.h"
#include "test/explorer/shadow.h"
#include "test/explorer/threads.h"
#include "test/explorer/views.h"
#include "test/shim/ctest.h"

enum { VALUES = 512 };

static struct world {
    const struct scenario *scenario;
    struct rangemap_domain *domain;
    struct rangemap *map;
    struct judge_history history;
    uint64_t known[WORLD_THREADS][WORLD_STEPS][SCHEDULE_THREADS];
    struct rm_thread *record[SCHEDULE_THREADS];
    /* As it was before the threads began. */
    struct rangemap_domain domain_copy;
    struct rm_thread record_copy[SCHEDULE_THREADS];
    int owners_copy[VALUES];
    unsigned longest;
    struct rm_slice taken[RM_SIZES]; /* from the pool, by none of the threads */
} world;

/* In the place of records of threads that a scenario does not have. */
static struct rm_thread absent[WORLD_THREADS];

/* How often each value is owned: by ranges of the map, or by what still waits for its release. */
static int owners[VALUES];

static void own(const struct operation *operation)
{
    bool keeps = operation->kind == DO_INSERT || operation->kind == DO_STORE ||
                 operation->kind == DO_REPLACE || operation->kind == DO_GAP_ALLOCATE;

    if (operation->result == 0 && keeps) {
        owners[operation->value % VALUES]++;
    } else if (operation->result == 0 && (operation->kind == DO_LOAD || operation->kind == DO_SPLICE)) {
        for (uint64_t i = 0; i < operation->number; i++) {
            owners[(operation->value + i) % VALUES]++;
        }
    } else if (operation->result == 0 && operation->kind == DO_UPDATE) {
        for (uint64_t i = 0; i < 64; i++) {
            owners[(operation->value + (operation->start + i) % 8) % VALUES] +=
                (int)(operation->answer >> i & 1);
        }
    }
}

static void release(void *value, void *context)
{
    (void)context;
    owners[(uintptr_t)value % VALUES]--;
}

static void retain(void *value, void *context)
{
    (void)context;
    owners[(uintptr_t)value % VALUES]++;
}

/* Whether anything is in some shard, whatever the threads may see of it. */
static bool something_waits(void)
{
    bool waits = false;

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        const struct rm_shard *shard = &world.record[i]->shard;

        waits |= rm_word_private(&shard->inbox.head) != 0 || !rm_queue_is_empty(&shard->old.queue) ||
                 !rm_queue_is_empty(&shard->young.queue) || !rm_queue_is_empty(&shard->ready) ||
                 !rm_queue_is_empty(&shard->asked);
    }
    return waits;
}

/* What who disposed of the last garbage of each shard wrote then, as what callbacks wrote. */
static void read_what_was_left(void)
{
    unsigned thread;

    for (unsigned i = 0; threads_is_weak(&thread) && i < SCHEDULE_THREADS; i++) {
        views_read(thread, &world.record[i]->shard.bytes, sizeof world.record[i]->shard.bytes);
        threads_have_accessed();
    }
}

/* As a barrier ends. By the only thread that hands anything over. */
static void run_is_reclaimed(struct operation *operation)
{
    operation->answer = rm_reclaim_is_empty(world.domain);
    if (operation->answer != 0) {
        read_what_was_left();
    }
    if (operation->answer != 0 && something_waits()) {
        shadow_set_fault("all is said to be reclaimed, and something waits");
    }
}

static void run_operation(struct operation *operation)
{
    if (operation->kind == DO_IS_RECLAIMED) {
        run_is_reclaimed(operation);
    } else {
        operation_run(world.map, operation);
    }
}

static void thread_body(unsigned self)
{
    for (unsigned i = 0; i < world.history.operations[self]; i++) {
        struct operation *operation = &world.history.operation[self][i];

        operation->thread = self;
        operation->known = world.known[self][i];
        threads_begin(&operation->begin, world.known[self][i]);
        run_operation(operation);
        operation->end = threads_end((uint64_t)(int64_t)operation->result ^ operation->answer);
        own(operation);
    }
}

/* ---- a world ---- */

static void read_map(struct model *model)
{
    static struct operation all;

    all = (struct operation){.kind = DO_SNAPSHOT, .last = UINT64_MAX};
    operation_run(world.map, &all);
    model->splits = world.scenario->splits;
    model->joined = 0;
    model->count = all.entries;
    memcpy(model->entry, all.entry, all.entries * sizeof all.entry[0]);
}

static void attach(unsigned index)
{
    (void)rm_thread_become(NULL);
    shadow_set_thread(index);
    REQUIRE_EQ(rangemap_domain_attach(world.domain), 0);
    world.record[index] = rm_thread_last;
}

static void create_map(const struct scenario *scenario)
{
    struct rangemap_domain_options domain_options = {.chunks = &shadow_chunks};
    struct rangemap_options options = {.split = scenario->splits ? operation_split : NULL,
                                       .release = release,
                                       .retain = retain,
                                       .track_gaps = scenario->gaps};

    REQUIRE_EQ(rangemap_domain_create(&domain_options, &world.domain), 0);
    options.domain = world.domain;
    attach(THREADS_MAIN);
    REQUIRE_EQ(rangemap_create(&options, &world.map), 0);
    shadow_watch(world.map);
    rm_explorer_published(rm_slot_node(rm_word_private(&world.map->root)));
    for (const struct step *step = scenario->before; step->kind != DO_NOTHING; step++) {
        struct operation operation = world_operation(step);

        operation_run(world.map, &operation);
        own(&operation);
    }
}

/* Of the lowest slab of each size that has any, few nodes are left, so that the last ones are taken in every run. */
static void take_nodes(struct rm_pool *pool)
{
    enum { LEFT = 3 }; /* a thread takes two at first */
    struct rm_seeker seeker = {.takes = 0};

    for (unsigned i = 0; i < RM_SIZES; i++) {
        const struct rm_extent *extent = rm_set_find(pool->tables, i, false, 0);

        if (extent != NULL) {
            unsigned slab = rm_bits_first(rm_word_private(&extent->set[i]));
            unsigned nodes = rm_bits_count(rm_word_private(&extent->free[slab]));

            if (nodes > LEFT) {
                (void)rm_pool_take(pool, i + RM_LINES_MIN, nodes - LEFT, false, &seeker, &world.taken[i]);
            }
        }
    }
}

static void give_nodes(struct rm_pool *pool)
{
    for (unsigned i = 0; i < RM_SIZES; i++) {
        if (world.taken[i].nodes != 0) {
            rm_pool_give(pool, i + RM_LINES_MIN, world.taken[i]);
        }
    }
}

/* With prices such that light sections, taken away, are back soon. */
static void lighten(struct rm_thread *record, enum scenario_light light)
{
    bool is_light = light == SCENARIO_LIGHT;

    if (light != SCENARIO_FENCED) {
        rm_word_set_private(&record->light, is_light);
        record->account = (struct rm_light_account){
            .fences_until_review = 1, .fences_to_earn = 1, .light_since_ns = is_light};
    }
}

static void create_threads(const struct scenario *scenario)
{
    for (unsigned i = 0; i < WORLD_THREADS; i++) {
        if (scenario->thread[i][0].kind == DO_NOTHING) {
            world.record[i] = &absent[i];
            continue;
        }
        attach(i);
        if (!scenario->draws) {
            REQUIRE_EQ(rangemap_reserve(world.map, 4), 0);
        }
        lighten(world.record[i], scenario->light);
        world.history.threads++;
        while (world.history.operations[i] < WORLD_STEPS &&
               scenario->thread[i][world.history.operations[i]].kind != DO_NOTHING) {
            world.history.operations[i]++;
        }
    }
}

static struct threads_processor processor_of(const struct scenario *scenario)
{
    /* Asked twice for one fence: a process may have to register first. */
    return (struct threads_processor){scenario->memory, scenario->strangers, scenario->refuses ? 2 : 0};
}

void world_create(const struct scenario *scenario)
{
    memset(&world, 0, sizeof world);
    memset(owners, 0, sizeof owners);
    world.scenario = scenario;
    shadow_reset();
    shadow_keep_freed(scenario->keeps);
    create_map(scenario);
    create_threads(scenario);
    if (scenario->draws) {
        take_nodes(&world.domain->pool);
    }
    threads_set(world.record, world.domain, processor_of(scenario));
    read_map(&world.history.initial);
    REQUIRE(shadow_fault() == NULL, "%s: %s", scenario->name, shadow_fault());
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        world.record_copy[i] = *world.record[i];
    }
    world.domain_copy = *world.domain;
    memcpy(world.owners_copy, owners, sizeof owners);
    shadow_save();
}

static void restore(void)
{
    *world.domain = world.domain_copy;
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        *world.record[i] = world.record_copy[i];
    }
    memcpy(owners, world.owners_copy, sizeof owners);
    shadow_restore();
    for (unsigned i = 0; i < world.history.threads; i++) {
        for (unsigned j = 0; j < world.history.operations[i]; j++) {
            world.history.operation[i][j] = world_operation(&world.scenario->thread[i][j]);
        }
    }
}

void world_destroy(void)
{
    restore();
    threads_set(world.record, world.domain, processor_of(world.scenario));
    shadow_close();
    give_nodes(&world.domain->pool);
    REQUIRE_EQ(rangemap_destroy(world.map), 0);
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        (void)rm_thread_become(world.record[i] != &absent[i % WORLD_THREADS] ? world.record[i] : NULL);
        REQUIRE_EQ(rangemap_domain_detach(world.domain), 0);
    }
    REQUIRE_EQ(rangemap_domain_destroy(world.domain), 0);
    (void)rm_thread_become(NULL);
}

/* ---- what must be true of a run ---- */

/* Ends the map: what it owned must be released, what it was made of must be free. */
static const char *leftover_fault(void)
{
    shadow_close();
    REQUIRE_EQ(rangemap_destroy(world.map), 0);
    if (shadow_live_nodes() != 0) {
        return "nodes are lost: neither retired nor freed";
    }
    for (unsigned i = 0; i < VALUES && !world.scenario->splits; i++) {
        if (owners[i] != 0) {
            return owners[i] > 0 ? "a value was not released" : "a value was released twice";
        }
    }
    return NULL;
}

static const char *final_fault(const struct schedule *schedule)
{
    static struct model final;
    static char message[256];
    const char *fault;

    shadow_check_reachable(world.map);
    if (shadow_fault() != NULL) {
        return shadow_fault();
    }
    if (rangemap_validate(world.map, message, sizeof message) != 0) {
        return message;
    }
    read_map(&final);
    fault = judge_history(&world.history, &final);
    if (fault == NULL && !schedule_has_parked(schedule)) { /* its section would not let the map end */
        fault = judge_pool(&world.domain->pool);
        fault = fault != NULL ? fault : leftover_fault();
    }
    return fault != NULL ? fault : shadow_fault();
}

const char *world_run(struct schedule *schedule, enum rm_rule broken)
{
    unsigned points;

    restore();
    points = threads_run(schedule, world.history.threads, thread_body, broken);
    world.longest = points > world.longest ? points : world.longest;
    return shadow_fault() != NULL ? shadow_fault() : final_fault(schedule);
}

void world_print(FILE *out)
{
    for (unsigned i = 0; i < world.history.threads; i++) {
        for (unsigned j = 0; j < world.history.operations[i]; j++) {
            (void)fprintf(out, "  thread %u: ", i);
            operation_print(out, &world.history.operation[i][j]);
        }
    }
}

uint64_t world_fingerprint(void)
{
    return threads_fingerprint();
}

unsigned world_longest(void)
{
    return world.longest;
}
