// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that runs out in updates of a map that owns its values, at each of their requests and in every fill state of
 * the list that keeps what they drop: nothing is released that is still there, or twice, or never.
 */
#include <errno.h>
#include <time.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/check/owned.h"
#include "test/shim/ctest.h"

enum { VALUES = 20000, FILLS_MAX = 100000, LIVES = 9, SPARES = 22, LARGE = 12 };

static struct {
    struct chunk_source source;
    struct rangemap_domain *domain;
    struct rangemap *filler, *large_filler, *map, *spare[SPARES];
    struct owned_table table;
    unsigned ranges; /* of the map: a small leaf takes less than the list does, a full one as much */
} life;

/* The library's clock, in place of libc's, stands still: with each tick more is done, and other memory is free. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    *time = (struct timespec){1000, 0};
    return 0;
}

/* ---- updates ---- */

static int store_at(uint64_t start, uint64_t last)
{
    struct owned_value *value = owned_new(&life.table);
    int error = rangemap_store(life.map, start, last, value, NULL, NULL);

    if (error != 0) {
        owned_drop(value);
    }
    return error;
}

static int store(uint64_t key)
{
    return store_at(key, key + 5);
}

static int store_over_three(uint64_t key)
{
    return store_at(key, key + 25);
}

/* Cuts a range into two parts, which share its value; if that is done, it is stored anew. */
static int cut(uint64_t key)
{
    return rangemap_is_covered(life.map, key, key + 5) == 1
               ? rangemap_carve(life.map, key + 2, key + 3, NULL, NULL)
               : store(key);
}

static int erase(uint64_t key)
{
    int error = rangemap_erase(life.map, key, NULL);

    return error == -ENOENT ? store(key) : error;
}

static int give_new_value(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                          void *context)
{
    (void)part;
    (void)whole;
    *value = context;
    return RANGEMAP_SET;
}

/* Of one range, or the middle of it. */
static int update(uint64_t key)
{
    struct owned_value *value = owned_new(&life.table);
    bool whole = rangemap_is_covered(life.map, key, key + 5) == 1 && key % 20 == 0;
    int error = rangemap_update(life.map, whole ? key : key + 2, whole ? key + 5 : key + 3, give_new_value,
                                value, NULL);

    if (error != 0) {
        owned_drop(value);
    }
    return error;
}

static const struct kind {
    const char *name;
    int (*perform)(uint64_t key);
} kinds[] = {{"store", store},
             {"store over three", store_over_three},
             {"cut", cut},
             {"erase", erase},
             {"update", update}};

/* ---- a life ---- */

/* With so many empty maps, which take memory and drop nothing: so the list is as full as it may be when memory ends. */
static void begin(unsigned spares)
{
    struct rangemap_options options = {.domain = NULL};

    chunk_source_init(&life.source);
    owned_table_init(&life.table, VALUES);
    life.domain = options.domain = chunk_source_domain(&life.source);
    REQUIRE_EQ(rangemap_create(&options, &life.filler), 0);
    REQUIRE_EQ(rangemap_create(&options, &life.large_filler), 0);
    for (uint64_t i = 0; i < LARGE; i++) {
        REQUIRE_EQ(rangemap_store(life.large_filler, i, i, NULL, NULL, NULL), 0);
    }
    options.release = owned_release;
    options.retain = owned_retain;
    options.context = &life.table;
    REQUIRE_EQ(rangemap_create(&options, &life.map), 0);
    for (uint64_t i = 0; i < life.ranges; i++) {
        REQUIRE_EQ(store(i * 10), 0);
    }
    for (unsigned i = 0; i < SPARES; i++) {
        life.spare[i] = NULL;
        REQUIRE_EQ(i < spares ? rangemap_create(&options, &life.spare[i]) : 0, 0);
    }
    REQUIRE_EQ(rangemap_domain_read_begin(life.domain), 0);
    life.source.fail_all = true;
}

/* The section is over: whatever has no owner in the map has none at all. */
static void check_owners(const char *what)
{
    struct entry_list list = {0};
    char message[256] = "";

    REQUIRE_EQ(rangemap_domain_barrier(life.domain), 0);
    CHECK_EQ(rangemap_validate(life.map, message, sizeof message), 0, "%s: %s", what, message);
    collect(life.map, 0, UINT64_MAX, &list);
    CHECK_EQ(owned_mismatches(&life.table, list.entry, list.count), 0u, "%s", what);
    entry_list_free(&list);
}

static void end(const char *what)
{
    struct rangemap_domain_statistics statistics;

    life.source.fail_all = false;
    rangemap_domain_read_end(life.domain);
    check_owners(what);
    CHECK_EQ(rangemap_destroy(life.filler), 0);
    CHECK_EQ(rangemap_destroy(life.large_filler), 0);
    CHECK_EQ(rangemap_destroy(life.map), 0);
    for (unsigned i = 0; i < SPARES; i++) {
        CHECK_EQ(rangemap_destroy(life.spare[i]), 0);
    }
    CHECK_EQ(owned_mismatches(&life.table, NULL, 0), 0u, "%s", what);
    CHECK_EQ(life.table.faults, 0u, "%s", what);
    CHECK_EQ(rangemap_domain_barrier(life.domain), 0);
    CHECK_EQ(rangemap_domain_stats(life.domain, &statistics), 0);
    CHECK_EQ(statistics.node_bytes, 0u, "%s: nodes leaked, or freed twice", what);
    CHECK_EQ(rangemap_domain_destroy(life.domain), 0);
    CHECK_EQ(life.source.live, 0u);
    owned_table_free(&life.table);
}

/* Uses up the smallest piece of memory: what it replaces is kept by the section. */
static bool fill(uint64_t i)
{
    return rangemap_store(life.filler, 0, 0, (void *)(uintptr_t)i, NULL, NULL) == 0;
}

/* The same with pieces of the size that the list of what is dropped has. */
static bool fill_large(uint64_t i)
{
    return rangemap_store(life.large_filler, 0, 0, (void *)(uintptr_t)i, NULL, NULL) == 0;
}

/* How many fills there is room for. */
static uint64_t measure(unsigned spares)
{
    uint64_t fills = 0;

    begin(spares);
    while (fill(fills)) {
        REQUIRE_LT(fills++, (uint64_t)FILLS_MAX);
    }
    end("fills alone");
    return fills;
}

/* Updates until one fails; with memory it succeeds, as others do. */
static unsigned run_out(const struct kind *kind)
{
    unsigned done = 0;
    int error;

    while ((error = kind->perform(done * 7 % life.ranges * 10)) == 0) {
        REQUIRE_LT(done++, (unsigned)VALUES / 2);
    }
    REQUIRE_EQ(error, -ENOMEM, "%s", kind->name);
    for (unsigned i = 0; i < 3; i++) { /* what the thread kept of other sizes may serve it now */
        error = kind->perform(done * 7 % life.ranges * 10);
        REQUIRE(error == 0 || error == -ENOMEM, "%s: %d", kind->name, error);
    }
    life.source.fail_all = false;
    for (unsigned i = 0; i < 2 * life.ranges; i++) {
        REQUIRE_EQ(kind->perform((done + i) * 7 % life.ranges * 10), 0, "%s", kind->name);
    }
    return done;
}

/* There is nothing left of the smallest size, or but for a few pieces. */
static unsigned run_out_of_small(const struct kind *kind, unsigned spares)
{
    uint64_t fills = measure(spares);
    unsigned done = 0;

    REQUIRE_GT(fills, (uint64_t)LIVES);
    for (uint64_t less = 0; less < LIVES; less++) {
        begin(spares);
        for (uint64_t i = 0; i < fills - less; i++) {
            REQUIRE(fill(i));
        }
        done += run_out(kind);
        end(kind->name);
    }
    return done;
}

/* There is nothing left but of the smallest size. */
static unsigned run_out_of_large(const struct kind *kind, unsigned fills)
{
    unsigned done;

    begin(0);
    for (uint64_t i = 0; i < fills; i++) {
        REQUIRE(fill(i));
    }
    for (uint64_t i = 0; fill_large(i); i++) {
        REQUIRE_LT(i, (uint64_t)FILLS_MAX);
    }
    done = run_out(kind);
    end(kind->name);
    return done;
}

TEST_CASE(memory_failure_owned, each_request_in_every_fill_state)
{
    unsigned done = 0;

    for (life.ranges = 1; life.ranges <= 40; life.ranges *= 3) {
        for (unsigned state = 0; state < SPARES; state++) {
            for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
                done += run_out_of_small(&kinds[i], state);
                done += run_out_of_large(&kinds[i], state);
            }
        }
    }
    CHECK_GT(done, 100u, "some succeed before");
}
