// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps that are ended and not waited for: they count as pending bytes, limits hold for them, and memory stays in
 * proportion to what is alive, however fast maps are made and ended, and wherever that is done.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/epoch/domain.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { RANGES = 3000, ROUNDS = 300, ALIVE = 6, NESTED_ROUNDS = 1500, NESTED_ALIVE = 300 };

static unsigned released, ended;

static void count_released(void *value, void *context)
{
    (void)value;
    (void)context;
    released++;
}

static void count_ended(void *context)
{
    (void)context;
    ended++;
}

static struct rangemap_domain *new_domain(enum rangemap_callbacks callbacks, uint64_t hard_limit_bytes)
{
    const struct rangemap_domain_options options = {.callbacks = callbacks,
                                                    .hard_limit_bytes = hard_limit_bytes};
    struct rangemap_domain *domain;

    released = ended = 0;
    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    return domain;
}

static struct rangemap *new_map(struct rangemap_domain *domain, rangemap_value_fn *release)
{
    const struct rangemap_options options = {.domain = domain, .release = release};
    struct rangemap *map;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static struct rangemap *new_full_map(struct rangemap_domain *domain, rangemap_value_fn *release)
{
    static struct rangemap_entry entry[RANGES];
    struct rangemap *map = new_map(domain, release);

    for (uint64_t i = 0; i < RANGES; i++) {
        entry[i] = (struct rangemap_entry){2 * i, 2 * i, NULL};
    }
    REQUIRE_EQ(rangemap_load(map, entry, RANGES, NULL), 0);
    return map;
}

static uint64_t bytes_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics.bytes;
}

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

/* No update but the loads. A poll where callbacks wait for it, and one where they do not. */
static void end_many(enum rangemap_callbacks callbacks, rangemap_value_fn *release,
                     rangemap_ended_fn *when_ended)
{
    struct rangemap_domain *domain = new_domain(callbacks, 0);
    bool is_asked = callbacks == RANGEMAP_CALLBACKS_WHEN_ASKED && (release != NULL || when_ended != NULL);

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct rangemap *map = new_full_map(domain, release);
        uint64_t bytes = bytes_of(map);

        REQUIRE_EQ(rangemap_destroy_later(map, when_ended, NULL), 0);
        while (is_asked && rangemap_domain_poll(domain) == 1) {
        }
        REQUIRE_LE(stats_of(domain).node_bytes, ALIVE * bytes, "after %u maps", i + 1);
    }
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    CHECK_EQ(released, release != NULL ? ROUNDS * RANGES : 0u);
    CHECK_EQ(ended, when_ended != NULL ? (unsigned)ROUNDS : 0u);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(ended_map, memory_is_that_of_a_few)
{
    end_many(RANGEMAP_CALLBACKS_ANYWHERE, NULL, NULL);
    end_many(RANGEMAP_CALLBACKS_ANYWHERE, NULL, count_ended);
    end_many(RANGEMAP_CALLBACKS_ANYWHERE, count_released, count_ended);
}

/* What calls nobody back needs no poll. */
TEST_CASE(ended_map, memory_is_that_of_a_few_where_callbacks_are_asked_for)
{
    end_many(RANGEMAP_CALLBACKS_WHEN_ASKED, NULL, NULL);
    end_many(RANGEMAP_CALLBACKS_WHEN_ASKED, count_released, NULL);
    end_many(RANGEMAP_CALLBACKS_WHEN_ASKED, NULL, count_ended);
}

/*
 * Maps as values of a map: ended by its callback, in the middle of somebody's share. Some wait for a grace period,
 * which begins after some dozens of updates; the others are paid for by those who build new ones.
 */
static void end_value(void *value, void *context)
{
    (void)context;
    if (value != NULL) {
        CHECK_EQ(rangemap_destroy_later(value, count_ended, NULL), 0);
    }
}

TEST_CASE(ended_map, maps_in_a_map)
{
    struct rangemap_domain *domain = new_domain(RANGEMAP_CALLBACKS_ANYWHERE, 0);
    struct rangemap *outer = new_map(domain, end_value);

    for (unsigned i = 0; i < NESTED_ROUNDS; i++) {
        struct rangemap *inner = new_full_map(domain, count_released);
        uint64_t bytes = bytes_of(inner);

        REQUIRE_EQ(rangemap_store(outer, 7, 7, inner, NULL, NULL), 0);
        REQUIRE_LE(stats_of(domain).node_bytes, NESTED_ALIVE * bytes, "after %u maps", i + 1);
    }
    CHECK_EQ(rangemap_destroy(outer), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(ended, (unsigned)NESTED_ROUNDS);
    CHECK_EQ(released, NESTED_ROUNDS * RANGES);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* A reader keeps all of them: the limit sees it. */
static void limit(rangemap_value_fn *release, rangemap_ended_fn *when_ended)
{
    enum { LIMIT = 1 << 20 };
    struct rangemap_domain *domain = new_domain(RANGEMAP_CALLBACKS_ANYWHERE, LIMIT);
    struct rangemap *kept = new_map(domain, NULL);
    uint64_t bytes = 0;

    REQUIRE_EQ(rangemap_read_begin(kept), 0);
    while (bytes <= LIMIT) {
        struct rangemap *map = new_full_map(domain, release);

        bytes += bytes_of(map);
        REQUIRE_EQ(rangemap_destroy_later(map, when_ended, NULL), 0);
        CHECK_GE(stats_of(domain).pending_bytes, bytes);
    }
    CHECK_EQ(rangemap_store(kept, 1, 1, NULL, NULL, NULL), -EBUSY);
    rangemap_read_end(kept);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    CHECK_EQ(rangemap_store(kept, 1, 1, NULL, NULL, NULL), 0);
    CHECK_EQ(rangemap_destroy(kept), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(ended_map, the_limit_counts_them)
{
    limit(NULL, NULL);
    limit(NULL, count_ended);
    limit(count_released, NULL);
    limit(count_released, count_ended);
}

/* Threads that are attached, hold garbage of their own, and do nothing. */
enum { IDLE = 3, IDLE_UPDATES = 300, IDLE_ALIVE = 4 * (IDLE + 2) };

static struct idle {
    struct rangemap *map;
    pthread_barrier_t met;
} idle;

static void *be_idle(void *context)
{
    (void)context;
    for (uint64_t i = 0; i < IDLE_UPDATES; i++) {
        CHECK_EQ(rangemap_store(idle.map, i, i, NULL, NULL, NULL), 0);
    }
    (void)pthread_barrier_wait(&idle.met);
    (void)pthread_barrier_wait(&idle.met);
    return NULL;
}

static void end_many_beside_idle_threads(rangemap_value_fn *release, rangemap_ended_fn *when_ended)
{
    struct rangemap_domain *domain = new_domain(RANGEMAP_CALLBACKS_ANYWHERE, 0);
    pthread_t thread[IDLE];

    idle.map = new_map(domain, NULL);
    REQUIRE_EQ(pthread_barrier_init(&idle.met, NULL, IDLE + 1), 0);
    REQUIRE_EQ(rangemap_read_begin(idle.map), 0); /* so that their garbage stays with them */
    for (unsigned i = 0; i < IDLE; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, be_idle, NULL), 0);
    }
    (void)pthread_barrier_wait(&idle.met);
    CHECK_GT(stats_of(domain).pending_bytes, 0u);
    rangemap_read_end(idle.map);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct rangemap *map = new_full_map(domain, release);
        uint64_t bytes = bytes_of(map);

        REQUIRE_EQ(rangemap_destroy_later(map, when_ended, NULL), 0);
        REQUIRE_LE(stats_of(domain).node_bytes, IDLE_ALIVE * bytes, "after %u maps", i + 1);
    }
    (void)pthread_barrier_wait(&idle.met);
    for (unsigned i = 0; i < IDLE; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    (void)pthread_barrier_destroy(&idle.met);
    CHECK_EQ(rangemap_destroy(idle.map), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(released, release != NULL ? ROUNDS * RANGES : 0u);
    CHECK_EQ(ended, when_ended != NULL ? (unsigned)ROUNDS : 0u);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(ended_map, memory_is_that_of_a_few_beside_idle_threads)
{
    end_many_beside_idle_threads(NULL, NULL);
    end_many_beside_idle_threads(NULL, count_ended);
    end_many_beside_idle_threads(count_released, count_ended);
}

/* ---- threads that come meanwhile ---- */

/* Each is handed over by a thread that the one before started, and that lives on: so its record is a new one. */
enum { LINKS = 8 };

static struct chain {
    struct rangemap_domain *domain;
    struct rangemap_deferred first[LINKS], deferred[LINKS];
    pthread_t thread[LINKS];
    unsigned links;
    sem_t is_handed_over, may_leave;
} chain;

static void start_next(struct rangemap_deferred *deferred, void *context);

static void do_nothing(struct rangemap_deferred *deferred, void *context)
{
    (void)deferred;
    (void)context;
}

/* At the first of its calls the thread polls, and what it has is out of sight at once: that is not to be the link. */
static void *hand_over(void *deferred)
{
    size_t link = (size_t)((struct rangemap_deferred *)deferred - chain.deferred);

    CHECK_EQ(rangemap_domain_defer(chain.domain, &chain.first[link], do_nothing, NULL), 0);
    CHECK_EQ(rangemap_domain_defer(chain.domain, deferred, start_next, NULL), 0);
    (void)sem_post(&chain.is_handed_over);
    (void)sem_wait(&chain.may_leave);
    return NULL;
}

static void start_next(struct rangemap_deferred *deferred, void *context)
{
    unsigned link = chain.links;

    (void)deferred;
    (void)context;
    if (link < LINKS) {
        chain.links++;
        REQUIRE_EQ(pthread_create(&chain.thread[link], NULL, hand_over, &chain.deferred[link]), 0);
        (void)sem_wait(&chain.is_handed_over);
    }
}

/*
 * The map comes to the record of each of them, which the domain did not have when the barrier began. Only that calls
 * back: those who hand over would start the next one themselves.
 */
TEST_CASE(ended_map, a_barrier_goes_on_while_records_are_added)
{
    struct rangemap *map;

    chain = (struct chain){.domain = new_domain(RANGEMAP_CALLBACKS_WHEN_ASKED, 0)};
    REQUIRE_EQ(sem_init(&chain.is_handed_over, 0, 0), 0);
    REQUIRE_EQ(sem_init(&chain.may_leave, 0, 0), 0);
    map = new_map(chain.domain, count_released);
    start_next(NULL, NULL);
    REQUIRE_EQ(rangemap_destroy_later(map, count_ended, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(chain.domain), 0);
    CHECK_EQ(ended, 1u);
    for (unsigned i = 0; i < chain.links; i++) {
        (void)sem_post(&chain.may_leave);
    }
    for (unsigned i = 0; i < chain.links; i++) {
        (void)pthread_join(chain.thread[i], NULL);
    }
    CHECK_EQ(rangemap_domain_destroy(chain.domain), 0);
    (void)sem_destroy(&chain.is_handed_over);
    (void)sem_destroy(&chain.may_leave);
}

/* ---- forks ---- */

static sem_t is_inside, may_leave;

static void block(void *context)
{
    (void)context;
    (void)sem_post(&is_inside);
    (void)sem_wait(&may_leave);
}

static void *end_one(void *domain)
{
    struct rangemap *map = new_full_map(domain, count_released);

    CHECK_EQ(rangemap_destroy_later(map, block, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    return NULL;
}

/*
 * What a thread was ending while the process forked is lost to the child, whose barriers do not look for it for ever.
 */
TEST_CASE(ended_map, a_child_waits_for_no_map_that_it_has_lost)
{
    struct rangemap_domain *domain = new_domain(RANGEMAP_CALLBACKS_ANYWHERE, 0);
    pthread_t thread;
    pid_t child;
    int status;

    REQUIRE_EQ(sem_init(&is_inside, 0, 0), 0);
    REQUIRE_EQ(sem_init(&may_leave, 0, 0), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, end_one, domain), 0);
    (void)sem_wait(&is_inside);
    CHECK_EQ(rm_load_relaxed(&domain->ending), 1u);
    child = fork();
    if (child == 0) {
        bool counted = rm_load_relaxed(&domain->ending) != 0;
        int error = rangemap_domain_barrier(domain);

        _exit(counted || error != 0);
    }
    REQUIRE_GT(child, 0);
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    (void)sem_post(&may_leave);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(rm_load_relaxed(&domain->ending), 0u);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    (void)sem_destroy(&is_inside);
    (void)sem_destroy(&may_leave);
}
