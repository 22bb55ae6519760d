// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real threads, on real processors: rounds of a few random operations each, all at once, on few keys. After
 * every round its history must be linearizable, from the map before it to the map after it.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "test/history/linearize.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { THREADS = 3, OPERATIONS = 5, ROUNDS = 4000, KEYS = 40, HISTORY = THREADS * OPERATIONS };

static struct rangemap *map;
static pthread_barrier_t barrier;
static struct operation history[THREADS][OPERATIONS];
static unsigned rounds;
static unsigned started; /* threads, over all rounds */

/* Later on any processor is later. */
static uint64_t nanoseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A barrier wakes one thread after the other, long after: they wait for each other once more, awake. */
static void start_together(unsigned round)
{
    (void)__atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&started, __ATOMIC_RELAXED) < (round + 1) * THREADS) {
        (void)sched_yield();
    }
}

static void *thread_main(void *argument)
{
    struct operation *own = argument;

    for (unsigned round = 0; round < rounds; round++) {
        (void)pthread_barrier_wait(&barrier);
        start_together(round);
        for (unsigned i = 0; i < OPERATIONS; i++) {
            own[i].begin = nanoseconds();
            operation_run(map, &own[i]);
            own[i].end = nanoseconds();
        }
        (void)pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static enum operation_kind random_kind(struct prng *prng)
{
    static const enum operation_kind kind[] = {
        DO_LOOKUP,  DO_FIND,     DO_BATCH,    DO_NEXT,        DO_PREVIOUS, DO_FIRST,        DO_LAST,
        DO_OVERLAP, DO_SNAPSHOT, DO_GAP_FIND, DO_SNAPSHOT_AT, DO_IS_FREE,  DO_IS_COVERED,   DO_INSERT,
        DO_INSERT,  DO_INSERT,   DO_STORE,    DO_STORE,       DO_CARVE,    DO_CARVE,        DO_ERASE,
        DO_ERASE,   DO_ERASE,    DO_REPLACE,  DO_ERASE_EXACT, DO_LOAD,     DO_GAP_ALLOCATE, DO_POLL,
        DO_SPLICE,  DO_SPLICE,   DO_UPDATE,   DO_UPDATE,      DO_EVICT,    DO_CARVE_VALUE,  DO_ERASE_VALUE,
        DO_RESIZE,  DO_GAP_AT,   DO_GAP_NEXT, DO_OVERLAP_LAST};

    return kind[prng_below(prng, sizeof kind / sizeof kind[0])];
}

static bool is_exact(const struct operation *operation)
{
    return operation->kind == DO_REPLACE || operation->kind == DO_ERASE_EXACT ||
           operation->kind == DO_ERASE_VALUE || operation->kind == DO_RESIZE;
}

/* How a window is rewritten, and with how many ranges. */
static void random_rewrite(struct prng *prng, struct operation *operation)
{
    static const uint64_t how[] = {0, 0, HOW_IF_FREE, HOW_JOIN, HOW_IF_FREE | HOW_JOIN, HOW_GAPS, HOW_WHOLE};
    uint64_t keys = operation->last - operation->start + 1;

    if (operation->kind == DO_UPDATE) {
        operation->expected = how[prng_below(prng, sizeof how / sizeof how[0])];
        operation->number = prng_below(prng, 4);
    } else if (operation->kind == DO_SPLICE) {
        operation->expected = how[prng_below(prng, 5)] | (prng_below(prng, 2) ? HOW_TOUCHING : 0);
        operation->number = operation->expected & HOW_TOUCHING ? keys / 2 : (keys + 2) / 4;
    } else if (operation->kind == DO_RESIZE) {
        operation->value = operation->start - (operation->start > 0) * prng_below(prng, 2);
        operation->number = operation->last + prng_below(prng, 3);
    }
}

/* Mostly short ranges; those that must meet a range exactly take one of the map's. */
static struct operation random_operation(struct prng *prng, const struct model *model, uint64_t value)
{
    struct operation operation = {.kind = random_kind(prng), .value = value, .number = 1};
    uint64_t longest = prng_below(prng, 4) == 0 ? KEYS : 4;

    operation.start = prng_below(prng, KEYS);
    operation.last = operation.start + prng_below(prng, longest);
    operation.last = operation.last < KEYS ? operation.last : KEYS - 1;
    operation.downwards = prng_below(prng, 2) == 0 && operation.kind >= DO_SNAPSHOT;
    if (operation_is_update(&operation) && operation.kind != DO_GAP_ALLOCATE) {
        operation.downwards = false; /* what they displace is in ascending order */
    }
    if (is_exact(&operation) && model->count > 0) {
        const struct rangemap_entry *entry = &model->entry[prng_below(prng, model->count)];

        operation.start = entry->start;
        operation.last = entry->last;
        operation.expected = (uintptr_t)entry->value;
    }
    if (operation.kind == DO_CARVE_VALUE && model->count > 0) {
        operation.expected = (uintptr_t)model->entry[prng_below(prng, model->count)].value;
    }
    random_rewrite(prng, &operation);
    if (operation.kind == DO_LOAD) {
        operation.start = 0;
        operation.number = 6;
    }
    return operation;
}

static void read_map(struct model *model)
{
    static struct operation all;

    all = (struct operation){.kind = DO_SNAPSHOT, .last = UINT64_MAX};
    operation_run(map, &all);
    model->joined = 0;
    model->count = all.entries;
    for (unsigned i = 0; i < all.entries; i++) {
        model->entry[i] = all.entry[i];
    }
}

static void print_history(void)
{
    for (unsigned i = 0; i < HISTORY; i++) {
        (void)fprintf(stderr, "thread %u: ", i / OPERATIONS);
        operation_print(stderr, &history[i / OPERATIONS][i % OPERATIONS]);
    }
}

static void check_round(struct prng *prng, unsigned round, struct model *model)
{
    static struct model after;
    const struct operation *all[HISTORY];
    char message[256] = "";

    for (unsigned i = 0; i < HISTORY; i++) {
        struct operation *operation = &history[i / OPERATIONS][i % OPERATIONS];

        *operation = random_operation(prng, model, UINT64_C(1) + round * UINT64_C(100) + 8 * (uint64_t)i);
        all[i] = operation;
    }
    if (round % 8 == 0) {
        history[0][0] = (struct operation){.kind = DO_COALESCE, .last = KEYS};
    }
    (void)pthread_barrier_wait(&barrier);
    (void)pthread_barrier_wait(&barrier);
    after.splits = model->splits;
    read_map(&after);
    if (!linearize(model, all, HISTORY, &after)) {
        print_history();
        CHECK(false, "round %u is not linearizable", round);
    }
    CHECK_EQ(rangemap_validate(map, message, sizeof message), 0, "%s", message);
    model_copy(model, &after);
}

static void run_rounds(bool splits, bool track_gaps)
{
    static struct model model;
    struct rangemap_options options = {.split = splits ? operation_split : NULL, .track_gaps = track_gaps};
    struct prng prng = prng_stream(test_seed(), splits);
    pthread_t thread[THREADS];

    rounds = ROUNDS * test_scale();
    started = 0;
    model = (struct model){.splits = splits};
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, thread_main, history[i]), 0);
    }
    for (unsigned round = 0; round < rounds; round++) {
        check_round(&prng, round, &model);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(thread[i], NULL), 0);
    }
    REQUIRE_EQ(pthread_barrier_destroy(&barrier), 0);
    REQUIRE_EQ(rangemap_destroy(map), 0);
    printf("%u rounds of %d operations by %d threads\n", rounds, HISTORY, THREADS);
}

TEST_CASE(threads, histories_are_linearizable)
{
    run_rounds(false, false);
}

TEST_CASE(threads, also_when_values_are_split)
{
    run_rounds(true, false);
}

TEST_CASE(threads, are_linearizable_in_maps_that_track_gaps)
{
    run_rounds(false, true);
}
