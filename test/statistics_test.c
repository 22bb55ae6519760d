// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the statistics say, beside what was done: by count, and by how one number follows from others. A case or two for
 * each number: as long as the list of them.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/check/guests.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

static struct rangemap_domain *new_domain(void)
{
    struct rangemap_domain *domain = NULL;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    return domain;
}

static struct rangemap *new_map(struct rangemap_domain *domain)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static struct rangemap_domain_statistics of_domain(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

static struct rangemap_statistics of_map(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics;
}

static void finish(struct rangemap_domain *domain, struct rangemap *map)
{
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* Updates of many kinds, which make nodes of all sizes come and go. */
static void update_at_random(struct rangemap *map, uint64_t seed, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t random = prng_mix(seed + i), start = random % 20000, last = start + (random >> 32) % 30;

        if (random >> 63 != 0) {
            REQUIRE_EQ(rangemap_store(map, start, last, NULL, NULL, NULL), 0);
        } else {
            REQUIRE_EQ(rangemap_carve(map, start, last, NULL, NULL), 0);
        }
    }
}

/* What a thread keeps for itself is counted as that, and is none of the free memory once it is given up. */
TEST_CASE(statistics, caches_and_what_is_given_back)
{
    enum { UPDATES = 20, UPDATE_BYTES = 8 * 1024 };
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain);
    struct rangemap_domain_statistics now;

    update_at_random(map, 1, 20000);
    REQUIRE_EQ(rangemap_reserve(map, UPDATES), 0);
    now = of_domain(domain);
    CHECK_GE(now.cached_bytes, (uint64_t)UPDATES * UPDATE_BYTES);
    CHECK_EQ(now.pooled_bytes, now.cached_bytes + now.pinned_bytes);
    CHECK_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(rangemap_domain_trim(domain), 1);
    now = of_domain(domain);
    CHECK_EQ(now.cached_bytes, 0u);
    CHECK_EQ(now.pooled_bytes, now.pinned_bytes);
    CHECK_EQ(now.discarded_bytes, now.idle_bytes, "all that is wholly free was given back");
    finish(domain, map);
}

/* Nobody updates and nothing is pending: the sums of the header, and nodes are those of maps. */
TEST_CASE(statistics, add_up_after_a_barrier)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map[3] = {new_map(domain), new_map(domain), new_map(domain)};
    struct rangemap_domain_statistics now;
    uint64_t map_bytes;

    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    map_bytes = of_domain(domain).node_bytes - 3 * of_map(map[0]).bytes;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 3; i++) {
            update_at_random(map[i], 1000 * round + i, 300 * (i + 1));
        }
        CHECK_EQ(rangemap_domain_barrier(domain), 0);
        now = of_domain(domain);
        CHECK_EQ(now.pending_bytes, 0u);
        CHECK_EQ(now.node_bytes,
                 map_bytes + of_map(map[0]).bytes + of_map(map[1]).bytes + of_map(map[2]).bytes);
        CHECK_EQ(now.pooled_bytes, now.cached_bytes + now.pinned_bytes);
        CHECK(now.cached_bytes % 64 == 0 && now.pinned_bytes % 64 == 0 && now.idle_bytes % 64 == 0, "lines");
        CHECK_LE(now.discarded_bytes, now.idle_bytes);
        CHECK_LE(now.node_bytes + now.pooled_bytes + now.idle_bytes, now.chunk_bytes);
        CHECK_LE(now.chunk_bytes - now.node_bytes - now.pooled_bytes - now.idle_bytes,
                 40 * 1024 + now.chunk_bytes / 40);
    }
    CHECK_EQ(rangemap_destroy(map[2]), 0);
    CHECK_EQ(rangemap_destroy(map[1]), 0);
    finish(domain, map[0]);
}

TEST_CASE(statistics, maps_are_counted)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map[5];

    CHECK_EQ(of_domain(domain).maps, 0u);
    for (unsigned i = 0; i < 5; i++) {
        map[i] = new_map(domain);
        CHECK_EQ(of_domain(domain).maps, i + 1);
    }
    CHECK_EQ(rangemap_destroy(map[4]), 0);
    CHECK_EQ(of_domain(domain).maps, 4u);
    CHECK_EQ(rangemap_destroy_later(map[3], NULL, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(of_domain(domain).maps, 3u);
    CHECK_EQ(rangemap_destroy(map[2]), 0);
    CHECK_EQ(rangemap_destroy(map[1]), 0);
    finish(domain, map[0]);
}

TEST_CASE(statistics, threads_are_counted)
{
    struct rangemap_domain *domain = new_domain();
    struct guests guests;

    CHECK_EQ(of_domain(domain).threads, 0u);
    CHECK_EQ(of_domain(domain).records, 0u);
    REQUIRE_EQ(rangemap_domain_attach(domain), 0);
    for (unsigned round = 1; round <= 6; round++) {
        guests_come(&guests, domain, round);
        CHECK_EQ(of_domain(domain).threads, round + 1);
        CHECK_EQ(of_domain(domain).records, round + 1, "those that left are used again");
        guests_leave(&guests);
        CHECK_EQ(of_domain(domain).threads, 1u);
    }
    REQUIRE_EQ(rangemap_domain_detach(domain), 0);
    CHECK_EQ(of_domain(domain).threads, 0u);
    CHECK_EQ(of_domain(domain).records, 7u);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* Of what was there before nothing is left. */
static struct rangemap_blocker blocker_of(struct rangemap_domain *domain)
{
    struct rangemap_blocker blocker = {-77, 77, 77};

    REQUIRE_EQ(rangemap_domain_blocker(domain, &blocker), 0);
    return blocker;
}

/* A section keeps the epoch from moving twice; its distance is what the report says. */
TEST_CASE(statistics, epoch_moves_and_stands)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain);
    struct rangemap_blocker blocker;
    uint64_t before;

    for (unsigned i = 0; i < 10; i++) {
        before = of_domain(domain).epoch;
        update_at_random(map, i, 100);
        CHECK_EQ(rangemap_domain_barrier(domain), 0);
        CHECK_GE(of_domain(domain).epoch, before + 2, "what was retired is two epochs old");
    }
    blocker = blocker_of(domain);
    CHECK(blocker.tid == 0 && blocker.behind == 0 && blocker.pending_bytes == 0);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    before = of_domain(domain).epoch;
    blocker = blocker_of(domain);
    CHECK(blocker.tid == 0 && blocker.behind == 0, "a section of this epoch keeps nothing yet");
    update_at_random(map, 77, 20000);
    CHECK_EQ(of_domain(domain).epoch, before + 1);
    blocker = blocker_of(domain);
    CHECK_EQ(blocker.behind, 1u);
    CHECK_EQ(blocker.tid, (int)syscall(SYS_gettid));
    CHECK_EQ(blocker.pending_bytes, of_domain(domain).pending_bytes);
    rangemap_read_end(map);
    finish(domain, map);
}

/* A thread that is in a callback, and for how long nobody knows. */
struct caller {
    struct rangemap_domain *domain;
    struct rangemap *map;
    atomic_int tid;
    sem_t inside, leave;
};

static void wait_in_callback(void *value, void *context)
{
    struct caller *caller = context;

    if (value != NULL) {
        caller->tid = (int)syscall(SYS_gettid);
        sem_post(&caller->inside);
        sem_wait(&caller->leave);
    }
}

static void serve_once(unsigned index, void *context)
{
    struct caller *caller = context;

    (void)index;
    CHECK_EQ(rangemap_domain_serve(caller->domain, -1), 1);
}

TEST_CASE(statistics, who_calls_back_is_named)
{
    const struct rangemap_domain_options domain_options = {.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};
    struct caller caller = {.tid = 0};
    struct rangemap_options options = {.release = wait_in_callback, .context = &caller};
    struct rangemap_blocker blocker;
    struct crew crew;

    sem_init(&caller.inside, 0, 0);
    sem_init(&caller.leave, 0, 0);
    REQUIRE_EQ(rangemap_domain_create(&domain_options, &caller.domain), 0);
    options.domain = caller.domain;
    REQUIRE_EQ(rangemap_create(&options, &caller.map), 0);
    REQUIRE_EQ(rangemap_store(caller.map, 5, 5, &caller, NULL, NULL), 0);
    for (unsigned i = 0; i < 300; i++) {
        REQUIRE_EQ(rangemap_store(caller.map, 5, 5, NULL, NULL, NULL), 0);
    }
    blocker = blocker_of(caller.domain);
    CHECK(blocker.tid == 0 && blocker.behind == 0, "nobody is at it");
    CHECK_GT(blocker.pending_bytes, 0u);
    crew_start(&crew, 1, serve_once, &caller);
    sem_wait(&caller.inside);
    blocker = blocker_of(caller.domain);
    CHECK_EQ(blocker.tid, caller.tid);
    CHECK_EQ(blocker.behind, 0u);
    CHECK_EQ(blocker.pending_bytes, of_domain(caller.domain).pending_bytes);
    sem_post(&caller.leave);
    crew_join(&crew);
    CHECK_EQ(rangemap_domain_barrier(caller.domain), 0);
    blocker = blocker_of(caller.domain);
    CHECK(blocker.tid == 0 && blocker.behind == 0 && blocker.pending_bytes == 0);
    CHECK_EQ(rangemap_destroy(caller.map), 0);
    CHECK_EQ(rangemap_domain_destroy(caller.domain), 0);
    sem_destroy(&caller.inside);
    sem_destroy(&caller.leave);
}

/* While a section is open all that is retired stays: in use is what was, and what was made since. */
TEST_CASE(statistics, pending_is_what_was_retired)
{
    enum { STORES = 5000, BAG_BYTES = 16 * 1024 };
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain);
    struct rangemap_domain_statistics before, now;
    uint64_t leaf_bytes, retired;

    REQUIRE_EQ(rangemap_store(map, 5, 5, NULL, NULL, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    before = of_domain(domain);
    leaf_bytes = of_map(map).bytes;
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    for (unsigned i = 0; i < STORES; i++) {
        REQUIRE_EQ(rangemap_store(map, 5, 5, NULL, NULL, NULL), 0);
    }
    now = of_domain(domain);
    retired = STORES * leaf_bytes;
    CHECK_GE(now.node_bytes, before.node_bytes + retired);
    CHECK_LE(now.node_bytes, before.node_bytes + retired + retired / 8 + BAG_BYTES, "and the lists of it");
    CHECK_LE(now.pending_bytes, now.node_bytes - before.node_bytes);
    CHECK_GE(now.pending_bytes + BAG_BYTES, retired, "but for a bag that is open");
    rangemap_read_end(map);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(of_domain(domain).node_bytes, before.node_bytes);
    CHECK_EQ(of_domain(domain).pending_bytes, 0u);
    finish(domain, map);
}

/* The same for whole subtrees that one update drops, of which the limits must know. */
TEST_CASE(statistics, pending_counts_dropped_trees)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain);
    uint64_t tree_bytes, low = 0;

    for (unsigned part = 0; part < 4; part++, low += 40000) {
        for (uint64_t i = 0; i < 40000; i += 2) {
            REQUIRE_EQ(rangemap_insert(map, low + i, low + i, NULL, NULL), 0);
        }
    }
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    tree_bytes = of_map(map).bytes;
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    REQUIRE_EQ(rangemap_carve(map, 10, low - 10, NULL, NULL), 0);
    CHECK_GE(of_domain(domain).pending_bytes, tree_bytes - tree_bytes / 100);
    CHECK_LE(of_domain(domain).pending_bytes, tree_bytes + tree_bytes / 100);
    rangemap_read_end(map);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(of_domain(domain).pending_bytes, 0u);
    finish(domain, map);
}

struct busy {
    struct rangemap_domain *domain;
    struct rangemap *map;
    atomic_bool stop;
};

static void look_or_update(unsigned index, void *context)
{
    enum { MUCH = 1 << 30 };
    struct busy *busy = context;

    for (unsigned i = 0; index != 0 && !busy->stop && !crew_is_broken(); i++) {
        update_at_random(busy->map, 1000 * index + i, 50);
    }
    for (unsigned i = 0; index == 0 && i < 20000; i++) {
        struct rangemap_domain_statistics now = of_domain(busy->domain);

        REQUIRE(now.chunk_bytes < MUCH && now.node_bytes < MUCH && now.pending_bytes < MUCH &&
                now.pooled_bytes < MUCH && now.cached_bytes < MUCH && now.pinned_bytes < MUCH &&
                now.idle_bytes < MUCH && now.discarded_bytes < MUCH);
        REQUIRE(now.threads <= 3 && now.records <= 3 && now.maps == 1);
    }
    busy->stop |= index == 0;
}

/* Beside updates numbers are read at different instants; none is ever below zero. */
TEST_CASE(statistics, no_difference_wraps_beside_updates)
{
    struct busy busy = {.domain = new_domain()};

    busy.map = new_map(busy.domain);
    crew_run(3, look_or_update, &busy);
    finish(busy.domain, busy.map);
}

/* Of a map, against what iteration finds and what nodes can hold. */
TEST_CASE(statistics, of_a_map)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain);
    struct rangemap_statistics now = of_map(map);

    CHECK(now.ranges == 0 && now.leaves == 1 && now.inner_nodes == 0 && now.height == 0 && now.bytes == 128);
    for (uint64_t i = 1; i <= 5000; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 7 % 5003 * 10, i * 7 % 5003 * 10 + 5, NULL, NULL), 0);
        now = of_map(map);
        REQUIRE_EQ(now.ranges, i);
        REQUIRE_LE(now.ranges, 15 * now.leaves);
        REQUIRE_EQ(now.height > 0, now.leaves > 1);
        REQUIRE_EQ(now.inner_nodes > 0, now.height > 0);
        REQUIRE_GE(now.inner_nodes, now.height);
        REQUIRE_LE(now.leaves, 15 * (now.inner_nodes + (now.height == 0)));
        REQUIRE(now.bytes >= 256 * now.inner_nodes + 128 * now.leaves &&
                now.bytes <= 256 * now.inner_nodes + 384 * now.leaves);
    }
    finish(domain, map);
}
