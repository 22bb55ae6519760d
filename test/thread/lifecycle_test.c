// SPDX-License-Identifier: BSD-2-Clause
/* Threads that come and go, and what a domain owes them: records, garbage, isolation, grace periods. */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/check/patience.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

struct place {
    struct rangemap_domain *domain;
    struct rangemap *map;
};

static void place_init(struct place *place)
{
    struct rangemap_options options = {.domain = NULL};

    REQUIRE_EQ(rangemap_domain_create(NULL, &place->domain), 0);
    options.domain = place->domain;
    REQUIRE_EQ(rangemap_create(&options, &place->map), 0);
}

static void place_free(struct place *place)
{
    CHECK_EQ(rangemap_destroy(place->map), 0);
    CHECK_EQ(rangemap_domain_destroy(place->domain), 0);
}

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

/*
 * The kernel ends a thread's list of robust mutexes before it lets the join return, and by that the library sees at
 * once that the thread is gone. Where there are no lists (qemu-user), a thread that was joined may be there a little
 * longer.
 */
static bool ends_are_seen_at_once(void)
{
    void *list;
    size_t bytes;

    return syscall(SYS_get_robust_list, 0, &list, &bytes) == 0;
}

static void check_nobody_stays(struct rangemap_domain *domain, unsigned records)
{
    bool at_once = ends_are_seen_at_once();
    struct patience patience = patience_of(30);

    while (!at_once && stats_of(domain).threads > 1 && !patience_is_over(&patience)) {
        sleep_milliseconds(1);
    }
    CHECK_LE(stats_of(domain).threads, 1u, "nobody stays attached");
    CHECK_LE(stats_of(domain).records, at_once ? records : 8 * records);
}

static void update_and_leave(unsigned index, void *context)
{
    struct place *place = context;

    for (uint64_t i = 0; i < 50; i++) {
        uint64_t key = index * 1000 + i;

        REQUIRE_EQ(rangemap_store(place->map, key, key, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_lookup(place->map, key, NULL), 0);
    }
}

/* Thousands of threads need no more records than ran at once, and what they left behind is reclaimed. */
TEST_CASE(thread_lifecycle, threads_come_and_go)
{
    struct place place;

    place_init(&place);
    for (unsigned i = 0; i < 1000 * test_scale(); i++) {
        crew_run(4, update_and_leave, &place);
    }
    check_nobody_stays(place.domain, 16);
    /* What one thread that is descheduled in a section holds up; a lost cache per thread would be more. */
    CHECK_LE(stats_of(place.domain).chunk_bytes, UINT64_C(16) << 20);
    CHECK_EQ(rangemap_domain_barrier(place.domain), 0);
    CHECK_EQ(stats_of(place.domain).pending_bytes, 0u, "garbage of threads that are gone");
    place_free(&place);
}

static void attach_and_detach(unsigned index, void *context)
{
    struct place *place = context;

    for (unsigned i = 0; i < 2000; i++) {
        REQUIRE_EQ(rangemap_domain_attach(place->domain), 0);
        REQUIRE_EQ(rangemap_store(place->map, index, index, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_domain_detach(place->domain), 0);
        REQUIRE_EQ(rangemap_lookup(place->map, index, NULL), 0, "attaches again");
        REQUIRE_EQ(rangemap_domain_detach(place->domain), 0);
    }
}

TEST_CASE(thread_lifecycle, attach_and_detach)
{
    struct place place;

    place_init(&place);
    crew_run(4, attach_and_detach, &place);
    check_nobody_stays(place.domain, 16);
    CHECK_EQ(rangemap_domain_barrier(place.domain), 0);
    CHECK_EQ(stats_of(place.domain).pending_bytes, 0u);
    place_free(&place);
}

/* A destructor of thread-specific data that uses the map, perhaps after the library's own has run. */
static struct place exit_place;
static atomic_uint exits;

static void use_at_exit(void *round)
{
    pthread_key_t *key = round;

    CHECK_EQ(rangemap_store(exit_place.map, 7, 9, NULL, NULL, NULL), 0);
    CHECK_EQ(rangemap_lookup(exit_place.map, 8, NULL), 0);
    if (atomic_fetch_add(&exits, 1) % 2 == 0) {
        pthread_setspecific(*key, key);
    }
}

static void set_key(unsigned index, void *context)
{
    (void)index;
    REQUIRE_EQ(pthread_setspecific(*(pthread_key_t *)context, context), 0);
    REQUIRE_EQ(rangemap_store(exit_place.map, 7, 9, NULL, NULL, NULL), 0);
}

TEST_CASE(thread_lifecycle, use_in_a_key_destructor)
{
    pthread_key_t key;

    place_init(&exit_place);
    REQUIRE_EQ(pthread_key_create(&key, use_at_exit), 0);
    for (unsigned i = 0; i < 500; i++) {
        crew_run(1, set_key, &key);
    }
    CHECK_EQ(exits, 1000u);
    check_nobody_stays(exit_place.domain, 8);
    REQUIRE_EQ(pthread_key_delete(key), 0);
    place_free(&exit_place);
}

/* Threads may outlive the domain that they were attached to, and exit later. */
struct outliving {
    struct place place;
    sem_t used, gone;
};

static void outlive(unsigned index, void *context)
{
    struct outliving *outliving = context;

    (void)index;
    CHECK_EQ(rangemap_lookup(outliving->place.map, 1, NULL), -ENOENT);
    sem_post(&outliving->used);
    sem_wait(&outliving->gone);
}

TEST_CASE(thread_lifecycle, exit_after_the_domain)
{
    for (unsigned i = 0; i < 50; i++) {
        struct outliving outliving;
        struct crew crew;

        place_init(&outliving.place);
        sem_init(&outliving.used, 0, 0);
        sem_init(&outliving.gone, 0, 0);
        crew_start(&crew, 2, outlive, &outliving);
        sem_wait(&outliving.used);
        sem_wait(&outliving.used);
        place_free(&outliving.place);
        sem_post(&outliving.gone);
        sem_post(&outliving.gone);
        crew_join(&crew);
    }
}

/* Domains: a reader that stalls in one holds up nothing of the other. */
struct isolation {
    struct place stalled, free;
    sem_t inside, leave;
};

static void sit_in_section(unsigned index, void *context)
{
    struct isolation *isolation = context;

    (void)index;
    REQUIRE_EQ(rangemap_read_begin(isolation->stalled.map), 0);
    REQUIRE_EQ(rangemap_insert(isolation->free.map, 1, 1, NULL, NULL), 0);
    sem_post(&isolation->inside);
    sem_wait(&isolation->leave);
    rangemap_read_end(isolation->stalled.map);
}

TEST_CASE(thread_lifecycle, domains_are_isolated)
{
    struct isolation isolation;
    struct crew crew;

    place_init(&isolation.stalled);
    place_init(&isolation.free);
    sem_init(&isolation.inside, 0, 0);
    sem_init(&isolation.leave, 0, 0);
    crew_start(&crew, 1, sit_in_section, &isolation);
    sem_wait(&isolation.inside);
    for (unsigned i = 0; i < 20000; i++) {
        REQUIRE_EQ(rangemap_store(isolation.stalled.map, i % 50, i % 50, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_store(isolation.free.map, i % 50, i % 50, NULL, NULL, NULL), 0);
    }
    CHECK_GE(stats_of(isolation.stalled.domain).pending_bytes, 1u << 20);
    CHECK_LE(stats_of(isolation.free.domain).pending_bytes, 1u << 20);
    CHECK_EQ(rangemap_domain_synchronize(isolation.free.domain), 0);
    CHECK_EQ(rangemap_domain_barrier(isolation.free.domain), 0);
    CHECK_EQ(stats_of(isolation.free.domain).pending_bytes, 0u);
    sem_post(&isolation.leave);
    crew_join(&crew);
    CHECK_EQ(rangemap_domain_barrier(isolation.stalled.domain), 0);
    CHECK_EQ(stats_of(isolation.stalled.domain).pending_bytes, 0u);
    place_free(&isolation.stalled);
    place_free(&isolation.free);
}

/* What another thread sits in: nothing may be said to be over before it leaves. */
struct grace {
    struct place place;
    atomic_bool inside, leaving, left;
    atomic_uint ran;
};

struct deferral {
    struct rangemap_deferred deferred;
    struct grace *grace;
};

static void sit_for_a_while(unsigned index, void *context)
{
    struct grace *grace = context;

    (void)index;
    REQUIRE_EQ(rangemap_domain_read_begin(grace->place.domain), 0);
    grace->inside = true;
    sleep_milliseconds(100);
    grace->leaving = true;
    rangemap_domain_read_end(grace->place.domain);
    grace->left = true;
}

static void note_deferred(struct rangemap_deferred *deferred, void *context)
{
    struct deferral *deferral = (struct deferral *)(void *)deferred;

    (void)context;
    CHECK(deferral->grace->leaving, "ran while a section from before was open");
    deferral->grace->ran++;
}

static void grace_begin(struct grace *grace, struct crew *crew)
{
    grace->inside = grace->leaving = grace->left = false;
    crew_start(crew, 1, sit_for_a_while, grace);
    while (!grace->inside && !crew_is_broken()) {
        sleep_milliseconds(1);
    }
}

TEST_CASE(thread_lifecycle, synchronize_waits_for_sections)
{
    struct grace grace = {.ran = 0};
    struct crew crew;

    place_init(&grace.place);
    for (unsigned i = 0; i < 3; i++) {
        grace_begin(&grace, &crew);
        CHECK_EQ(rangemap_domain_synchronize(grace.place.domain), 0);
        CHECK(grace.leaving, "synchronize did not wait");
        crew_join(&crew);
    }
    place_free(&grace.place);
}

TEST_CASE(thread_lifecycle, deferred_runs_once_after_sections)
{
    enum { COUNT = 5000 };
    static struct deferral deferral[COUNT];
    struct grace grace = {.ran = 0};
    struct crew crew;

    place_init(&grace.place);
    grace_begin(&grace, &crew);
    for (unsigned i = 0; i < COUNT; i++) {
        deferral[i].grace = &grace;
        REQUIRE_EQ(rangemap_domain_defer(grace.place.domain, &deferral[i].deferred, note_deferred, NULL), 0);
    }
    CHECK_GE(rangemap_domain_poll(grace.place.domain), 0);
    CHECK_EQ(rangemap_domain_barrier(grace.place.domain), 0);
    CHECK(grace.leaving);
    CHECK_EQ(grace.ran, (unsigned)COUNT);
    CHECK_EQ(rangemap_domain_barrier(grace.place.domain), 0);
    CHECK_EQ(grace.ran, (unsigned)COUNT, "once each");
    crew_join(&crew);
    place_free(&grace.place);
}

static void defer_and_exit(unsigned index, void *context)
{
    struct deferral *deferral = (struct deferral *)context + index * 100;

    for (unsigned i = 0; i < 100; i++) {
        REQUIRE_EQ(rangemap_domain_defer(deferral[i].grace->place.domain, &deferral[i].deferred,
                                         note_deferred, NULL),
                   0);
    }
}

/* The deferrals of threads that have exited run too: in a barrier, or when the domain is destroyed. */
TEST_CASE(thread_lifecycle, deferred_outlives_its_thread)
{
    static struct deferral deferral[2][400];
    struct grace grace = {.leaving = true};

    place_init(&grace.place);
    for (unsigned i = 0; i < 400; i++) {
        deferral[0][i].grace = deferral[1][i].grace = &grace;
    }
    crew_run(4, defer_and_exit, deferral[0]);
    CHECK_EQ(rangemap_domain_barrier(grace.place.domain), 0);
    CHECK_EQ(grace.ran, 400u);
    crew_run(4, defer_and_exit, deferral[1]);
    place_free(&grace.place);
    CHECK_EQ(grace.ran, 800u, "domain_destroy runs what is left");
}
