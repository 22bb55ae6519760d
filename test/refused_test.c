// SPDX-License-Identifier: BSD-2-Clause
/*
 * The system refuses memory for what does not come from chunks: the records of threads, and the default domain. Each
 * call that needs one says -ENOMEM, changes nothing, and works when memory is there again. In children, whose address
 * space is limited to what they have.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static void limit_address_space(bool limited)
{
    struct rlimit limit;

    REQUIRE_EQ(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = limited ? 4096 : limit.rlim_max;
    REQUIRE_EQ(setrlimit(RLIMIT_AS, &limit), 0);
}

/* As many threads as the first slab of records has room for, so that the next one needs another slab. */
enum { RECORDS = 32 };

struct place {
    struct rangemap_domain *domain;
    struct rangemap *map;
    bool tracks_gaps;
    struct crew crew;
    sem_t attached, leave;
};

static void attach(unsigned index, void *context)
{
    struct place *place = context;

    if (index == 0) {
        struct rangemap_options options = {.domain = place->domain, .track_gaps = place->tracks_gaps};

        REQUIRE_EQ(rangemap_create(&options, &place->map), 0);
        REQUIRE_EQ(rangemap_insert(place->map, 10, 19, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_attach(place->domain), 0);
    sem_post(&place->attached);
    sem_wait(&place->leave);
}

static void place_make(struct place *place)
{
    sem_init(&place->attached, 0, 0);
    sem_init(&place->leave, 0, 0);
    REQUIRE_EQ(rangemap_domain_create(NULL, &place->domain), 0);
    crew_start(&place->crew, RECORDS, attach, place);
    for (unsigned i = 0; i < RECORDS; i++) {
        sem_wait(&place->attached);
    }
}

static void place_end(struct place *place)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        sem_post(&place->leave);
    }
    crew_join(&place->crew);
    CHECK_EQ(rangemap_destroy(place->map), 0);
    CHECK_EQ(rangemap_domain_destroy(place->domain), 0);
}

static void run_never(struct rangemap_deferred *deferred, void *context)
{
    (void)deferred, (void)context;
    CHECK(false, "it was refused");
}

static const struct rangemap_entry untouched = {77, 78, NULL};

static void refuses_lookups(const struct rangemap *map)
{
    struct rangemap_entry entry = untouched;
    struct rangemap_statistics statistics;
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;
    struct rangemap_gap gap;
    uint64_t key = 10;
    bool hit = true;

    CHECK_EQ(rangemap_lookup(map, 10, NULL), -ENOMEM);
    CHECK_EQ(rangemap_find(map, 10, &entry), -ENOMEM);
    CHECK_EQ(rangemap_lookup_batch(map, &key, 1, NULL, &hit), -ENOMEM);
    CHECK_EQ(rangemap_find_batch(map, &key, 1, &entry, &hit), -ENOMEM);
    CHECK_EQ(rangemap_read_begin(map), -ENOMEM);
    CHECK_EQ(rangemap_read_try_begin(map), -ESRCH);
    CHECK_EQ(rangemap_next(map, 1, &entry), -ENOMEM);
    CHECK_EQ(rangemap_previous(map, 50, &entry), -ENOMEM);
    CHECK_EQ(rangemap_first(map, &entry), -ENOMEM);
    CHECK_EQ(rangemap_last(map, &entry), -ENOMEM);
    CHECK_EQ(rangemap_overlap(map, 1, 15, &entry), -ENOMEM);
    CHECK_EQ(rangemap_overlap_last(map, 1, 15, &entry), -ENOMEM);
    CHECK_EQ(rangemap_is_covered(map, 10, 19), -ENOMEM);
    CHECK_EQ(rangemap_is_free(map, 1, 2), -ENOMEM);
    CHECK_EQ(rangemap_gap_at(map, 1, &gap), -ENOMEM);
    CHECK_EQ(rangemap_gap_next(map, 1, &gap), -ENOMEM);
    CHECK_EQ(rangemap_snapshot_begin(map, &snapshot), -ENOMEM);
    CHECK_EQ(rangemap_cursor_init(&cursor, map, 0, 100), 0, "does not touch the map");
    CHECK_EQ(rangemap_cursor_next(&cursor, &entry), -ENOMEM);
    CHECK_EQ(rangemap_cursor_previous(&cursor, &entry), -ENOMEM);
    CHECK_EQ(rangemap_stats(map, &statistics), -ENOMEM);
    CHECK_EQ(rangemap_validate(map, NULL, 0), -ENOMEM);
    CHECK_EQ(rangemap_dump(map, stdout, RANGEMAP_DUMP_TEXT), -ENOMEM);
    CHECK(entry.start == 77 && entry.last == 78 && hit, "no output is written");
}

static void refuses_updates(struct rangemap *map)
{
    struct rangemap_gap_request request = {.length = 1, .high = UINT64_MAX};
    const struct rangemap_entry fresh = {30, 39, NULL};
    uint64_t start = 77, joined = 77;

    CHECK_EQ(rangemap_insert(map, 30, 39, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_store(map, 30, 39, NULL, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_carve(map, 10, 15, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_erase(map, 10, NULL), -ENOMEM);
    CHECK_EQ(rangemap_erase_exact(map, 10, 19, NULL), -ENOMEM);
    CHECK_EQ(rangemap_erase_value(map, 10, 19, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_replace(map, 10, 19, NULL, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_coalesce(map, 0, 99, NULL, NULL, &joined), -ENOMEM);
    CHECK_EQ(rangemap_load(map, &fresh, 1, NULL), -ENOMEM);
    CHECK_EQ(rangemap_reserve(map, 1), -ENOMEM);
    CHECK_EQ(rangemap_splice(map, 30, 39, &fresh, 1, NULL), -ENOMEM);
    CHECK_EQ(rangemap_carve_value(map, 10, 19, NULL, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_evict(map, 10, 19, NULL, NULL), -ENOMEM);
    CHECK_EQ(rangemap_resize(map, 10, 19, 10, 15, NULL), -ENOMEM);
    CHECK_EQ(rangemap_gap_find(map, &request, &start), -ENOMEM);
    CHECK_EQ(rangemap_gap_allocate(map, &request, NULL, &start), -ENOMEM);
    CHECK_EQ(rangemap_destroy_later(map, NULL, NULL), -ENOMEM);
    CHECK_EQ(start, 77u);
}

static void refuses_domain(struct rangemap_domain *domain)
{
    struct rangemap_options options = {.domain = domain};
    struct rangemap_domain *other = NULL;
    struct rangemap *map = NULL;
    struct rangemap_deferred deferred;

    CHECK_EQ(rangemap_domain_attach(domain), -ENOMEM);
    CHECK_EQ(rangemap_domain_is_attached(domain), 0);
    CHECK_EQ(rangemap_domain_detach(domain), 0, "it is not attached");
    CHECK_EQ(rangemap_domain_read_begin(domain), -ENOMEM);
    CHECK_EQ(rangemap_domain_defer(domain, &deferred, run_never, NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_poll(domain), -ENOMEM);
    CHECK_EQ(rangemap_domain_serve(domain, 0), -ENOMEM);
    CHECK_EQ(rangemap_domain_synchronize(domain), -ENOMEM);
    CHECK_EQ(rangemap_domain_barrier(domain), -ENOMEM);
    CHECK_EQ(rangemap_create(&options, &map), -ENOMEM);
    CHECK_EQ(rangemap_domain_create(NULL, &other), -ENOMEM);
    CHECK(map == NULL && other == NULL);
}

static void try_without_records(bool tracks_gaps)
{
    struct rangemap_statistics statistics;
    struct place place = {.tracks_gaps = tracks_gaps};

    place_make(&place);
    limit_address_space(true);
    refuses_lookups(place.map);
    refuses_updates(place.map);
    refuses_domain(place.domain);
    limit_address_space(false);
    CHECK_EQ(rangemap_stats(place.map, &statistics), 0);
    CHECK_EQ(statistics.ranges, 1u, "nothing has changed");
    CHECK_EQ(rangemap_lookup(place.map, 10, NULL), 0);
    CHECK_EQ(rangemap_domain_is_attached(place.domain), 1);
    place_end(&place);
}

static void without_records(void)
{
    try_without_records(false);
}

static void without_records_beside_gaps(void)
{
    try_without_records(true);
}

static void without_a_default_domain(void)
{
    struct rangemap_domain_statistics statistics;
    struct rangemap_blocker blocker;
    struct rangemap *map = NULL;

    limit_address_space(true);
    CHECK_EQ(rangemap_create(NULL, &map), -ENOMEM);
    CHECK_EQ(rangemap_domain_attach(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_detach(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_read_begin(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_poll(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_serve(NULL, 0), -ENOMEM);
    CHECK_EQ(rangemap_domain_trim(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_synchronize(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_barrier(NULL), -ENOMEM);
    CHECK_EQ(rangemap_domain_stats(NULL, &statistics), -ENOMEM);
    CHECK_EQ(rangemap_domain_blocker(NULL, &blocker), -ENOMEM);
    CHECK_EQ(rangemap_domain_is_attached(NULL), 0);
    limit_address_space(false);
    CHECK_EQ(rangemap_create(NULL, &map), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* In a child, where the library has not been used yet. */
static void in_a_child(void (*body)(void))
{
    int status = 0;
    pid_t child;

    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs address space itself");
    }
    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        body();
        (void)fflush(NULL);
        _exit(test_has_failed());
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the child; its status is %#x", (unsigned)status);
}

TEST_CASE(refused, records_of_threads)
{
    in_a_child(without_records);
    in_a_child(without_records_beside_gaps);
}

TEST_CASE(refused, the_default_domain)
{
    in_a_child(without_a_default_domain);
}
