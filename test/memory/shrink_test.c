// SPDX-License-Identifier: BSD-2-Clause
/*
 * How the pool grows and what it gives back: the size of each chunk, from where on and how much at once, what stays,
 * and that one slab in use keeps its chunk, whichever it is. Growing and shrinking are asked of the same books: hence
 * its length.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test/memory/pool_rig.h"

enum { SLABS = 2000, KEEP = 32, SHARE = 4 };

static struct rm_slab *slab[SLABS];
static unsigned slabs;
static struct rm_pool *pool;
static struct chunk_source source;

/* The library's clock. */
static uint64_t now_ns;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_MONOTONIC_COARSE) {
        *now = (struct timespec){(time_t)(now_ns / 1000000000), (long)(now_ns % 1000000000)};
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}

static void begin(bool mapped)
{
    chunk_source_init(&source);
    pool = new_pool(mapped ? NULL : &source.allocator);
    slabs = 0;
    now_ns = UINT64_C(1000) * 1000000000; /* long after the pool began to count */
}

static void end(bool mapped)
{
    finish(pool, mapped ? NULL : &source);
}

static uint64_t held_bytes(void)
{
    return (uint64_t)slabs * RM_SLAB_LINES * RM_CACHE_LINE;
}

/* So many in use; the pages of all are there. */
static void take(unsigned count)
{
    while (slabs < count) {
        slab[slabs] = rm_pool_take_slab(pool, 0);
        REQUIRE(slab[slabs] != NULL);
        slabs++;
    }
    check_books(pool, held_bytes());
}

static void give(unsigned count)
{
    for (; count > 0; count--) {
        rm_pool_give_slab(pool, slab[--slabs]);
    }
}

static uint64_t dirty_slabs(void)
{
    return rm_load_relaxed(&pool->dirty_slabs);
}

/* ---- growth ---- */

/* The smallest size that is a quarter of all there is, and what is wanted: within bounds. */
static uint64_t expected_bytes(uint64_t before, size_t least)
{
    uint64_t bytes = RM_CHUNK_MIN_BYTES;

    while (bytes < RM_CHUNK_MAX_BYTES && (bytes < before / 4 || bytes < least)) {
        bytes *= 2;
    }
    return bytes;
}

TEST_CASE(shrink, chunks_grow_with_the_pool)
{
    static const size_t least[] = {0, RM_CHUNK_MIN_BYTES, RM_CHUNK_MIN_BYTES + 1, RM_CHUNK_MAX_BYTES / 2 + 1,
                                   RM_CHUNK_MAX_BYTES};

    for (unsigned i = 0; i < sizeof least / sizeof *least; i++) {
        begin(false);
        while (slabs < 1500) {
            uint64_t before = source.bytes;
            unsigned calls = source.calls;

            slab[slabs] = rm_pool_take_slab(pool, least[i]);
            REQUIRE(slab[slabs] != NULL);
            slabs++;
            if (source.calls == calls + 1) {
                REQUIRE_EQ(source.bytes - before, expected_bytes(before, least[i]), "slab %u", slabs);
            }
            REQUIRE_LE(source.calls, calls + 2, "and a table at times");
            REQUIRE_EQ(rm_pool_measure(pool).chunk_bytes, source.bytes);
        }
        check_books(pool, held_bytes());
        give(slabs);
        end(false);
    }
}

/* A small one is asked for when a large one is refused, and nothing else when it is small already. */
TEST_CASE(shrink, a_small_chunk_will_do)
{
    for (unsigned large = 0; large < 2; large++) {
        size_t least = large ? RM_CHUNK_MAX_BYTES : 0;
        unsigned calls;
        uint64_t bytes;

        begin(false);
        while ((slab[slabs] = rm_pool_take_idle(pool)) != NULL) {
            slabs++;
        }
        source.fail_all = true;
        calls = source.calls;
        CHECK(rm_pool_take_slab(pool, least) == NULL);
        CHECK_EQ(source.calls, calls + 1 + large);
        check_books(pool, held_bytes());
        source.fail_all = false;
        source.fail_at = large ? source.calls + 1 : 0;
        bytes = source.bytes;
        slab[slabs] = rm_pool_take_slab(pool, least);
        REQUIRE(slab[slabs] != NULL);
        slabs++;
        CHECK_EQ(source.bytes, bytes + RM_CHUNK_MIN_BYTES);
        check_books(pool, held_bytes());
        give(slabs);
        end(false);
    }
}

/* ---- one slab in use ---- */

/* All of a chunk goes, or nothing: its slabs are idle as they were. */
TEST_CASE(shrink, one_slab_keeps_its_chunk)
{
    enum { COUNT = RM_CHUNK_MAX_BYTES / RM_SLAB_BYTES };
    const struct rm_extent *first;

    begin(false);
    while ((slab[0] = rm_pool_take_idle(pool)) != NULL) { /* never given back */
    }
    slab[0] = rm_pool_take_slab(pool, RM_CHUNK_MAX_BYTES);
    for (slabs = 1; slabs < COUNT; slabs++) {
        slab[slabs] = rm_pool_take_idle(pool);
        REQUIRE(slab[slabs] != NULL);
    }
    REQUIRE(rm_pool_take_idle(pool) == NULL);
    first = slab[0]->extent;
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t bytes = source.bytes;

        CHECK_EQ(rm_load_relaxed(&first[i / RM_EXTENT_SLABS].whole), ~UINT64_C(0));
        for (unsigned j = 0; j < COUNT; j++) { /* below the 64 that make it shrink by itself: all at once */
            if (j != i) {
                rm_pool_add_idle(pool, slab[j]->extent, UINT64_C(1) << slab[j]->index);
            }
        }
        CHECK_EQ(dirty_slabs(), COUNT - 1u);
        CHECK(!rm_pool_trim(pool), "slab %u", i);
        CHECK_EQ(source.bytes, bytes);
        CHECK_EQ(dirty_slabs(), COUNT - 1u);
        check_counts(pool);
        for (unsigned j = 0; j < COUNT; j++) {
            if (j != i) {
                REQUIRE(rm_pool_claim_idle(pool, slab[j]->extent, UINT64_C(1) << slab[j]->index));
            }
        }
        CHECK_EQ(dirty_slabs(), 0u);
    }
    for (unsigned j = 0; j < COUNT; j++) {
        rm_pool_add_idle(pool, slab[j]->extent, UINT64_C(1) << slab[j]->index);
    }
    CHECK(rm_pool_trim(pool));
    CHECK_EQ(rm_pool_measure(pool).chunk_bytes, source.bytes);
    check_counts(pool);
    rm_pool_destroy(pool);
    CHECK_EQ(source.live, 0u);
}

/* None or all of several, and not those that are in use. */
TEST_CASE(shrink, idle_slabs_are_claimed_together)
{
    struct rm_extent *extent;
    uint64_t idle, busy;

    begin(true);
    extent = &pool->tables->extent[0];
    idle = rm_load_relaxed(&extent->set[RM_SET_IDLE]);
    busy = rm_load_relaxed(&pool->busy_slabs);
    CHECK(!rm_pool_claim_idle(pool, extent, idle | idle >> 1));
    CHECK_EQ(rm_load_relaxed(&extent->set[RM_SET_IDLE]), idle);
    CHECK_EQ(rm_load_relaxed(&pool->busy_slabs), busy);
    CHECK(rm_pool_claim_idle(pool, extent, idle));
    CHECK_EQ(rm_load_relaxed(&extent->set[RM_SET_IDLE]), 0u);
    CHECK_EQ(rm_load_relaxed(&pool->busy_slabs), busy + rm_bits_count(idle));
    rm_pool_add_idle(pool, extent, idle);
    end(true);
}

/* ---- pages ---- */

/* Of every pattern of idle slabs in one extent the pages go, and the others' stay. */
TEST_CASE(shrink, pages_of_idle_slabs_only)
{
    static const uint64_t pattern[] = {
        1, 2, 0xff, 0x1ff, 0x3fe, 0x5555, UINT64_C(1) << 63, UINT64_C(0xffff) << 48, 0xff0ff0ff0};
    struct rm_extent *extent;

    begin(true);
    take(600); /* and more than an extent of them in one chunk */
    (void)rm_pool_trim(pool);
    extent = slab[500]->extent;
    for (unsigned i = 0; i < sizeof pattern / sizeof *pattern; i++) {
        uint64_t given = 0;

        for (unsigned j = 0; j < slabs; j++) {
            char *second = (char *)slab[j] + 4096;

            rm_unpoison(second, 1);
            *second = 1;
            if (slab[j]->extent == extent && (pattern[i] >> slab[j]->index & 1) != 0) {
                given |= UINT64_C(1) << slab[j]->index;
            }
        }
        REQUIRE_NE(given, 0u, "pattern %u", i);
        rm_pool_add_idle(pool, extent, given);
        CHECK_EQ(dirty_slabs(), rm_bits_count(given) + 0u);
        CHECK(rm_pool_trim(pool));
        CHECK_EQ(rm_load_relaxed(&extent->clean) & given, given);
        CHECK_EQ(dirty_slabs(), 0u);
        CHECK_EQ(rm_load_relaxed(&extent->set[RM_SET_IDLE]), given);
        CHECK(!rm_pool_trim(pool), "nothing more");
        REQUIRE(rm_pool_claim_idle(pool, extent, given));
        rm_and_relaxed(&extent->clean, ~given);
        for (unsigned j = 0; j < 64; j++) {
            if ((given >> j & 1) != 0) { /* their headers went, too */
                struct rm_slab *again = rm_extent_slab(extent, j);

                again->extent = extent;
                again->index = j;
                again->lines = 1;
            }
        }
        for (unsigned j = 0; j < slabs; j++) {
            const char *second = (const char *)slab[j] + 4096;
            bool gone = slab[j]->extent == extent && (given >> slab[j]->index & 1) != 0;

            REQUIRE_EQ(*second, gone ? 0 : 1, "pattern %u, slab %u", i, j);
        }
    }
    give(slabs);
    end(true);
}

/* ---- how much ---- */

/* What must be left of each: the lowest that are `keep` together, and those behind the piece that is enough. */
static void predict(uint64_t keep, uint64_t most, uint64_t *left, uint64_t *given)
{
    uint64_t kept = 0;
    unsigned at = 0;

    *given = 0;
    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents; i++, at++) {
            uint64_t dirty = rm_bits_count(rm_load_relaxed(&table->extent[i].set[RM_SET_IDLE]) &
                                           ~rm_load_relaxed(&table->extent[i].clean));

            left[at] = dirty;
            if (*given < most && kept + dirty > keep) {
                *given += dirty;
                left[at] = 0;
            } else if (*given < most) {
                kept += dirty;
            }
        }
    }
}

/* One slab of each extent is in use, so that no chunk goes as a whole: extent by extent. */
static void shrink_and_check(uint64_t keep, uint64_t most)
{
    static uint64_t left[4 * RM_TABLE_EXTENTS];
    struct rm_extent *seen[64];
    unsigned stay = 0, at = 0;
    uint64_t given;

    begin(true);
    take(700);
    for (unsigned i = 0; i < slabs; i++) {
        if (stay == 0 || slab[i]->extent != seen[stay - 1]) {
            REQUIRE_LT(stay, 64u);
            seen[stay++] = slab[i]->extent;
        } else {
            rm_pool_add_idle(pool, slab[i]->extent, UINT64_C(1) << slab[i]->index);
            slab[i] = NULL;
        }
    }
    predict(keep, most, left, &given);
    CHECK_EQ(rm_pool_shrink(pool, keep, most), given > 0);
    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents; i++, at++) {
            CHECK_EQ(rm_bits_count(rm_load_relaxed(&table->extent[i].set[RM_SET_IDLE]) &
                                   ~rm_load_relaxed(&table->extent[i].clean)),
                     left[at], "keep %u, most %u: extent %u", (unsigned)keep, (unsigned)most, at);
        }
    }
    check_counts(pool);
    rm_pool_destroy(pool);
}

TEST_CASE(shrink, the_lowest_stay)
{
    static const uint64_t keep[] = {1, 5, 6, 7, 60, 63, 64, 100, 200, 690, 1000},
                          most[] = {1, 7, 8, 70, UINT64_MAX};

    for (unsigned i = 0; i < sizeof keep / sizeof *keep; i++) {
        for (unsigned j = 0; j < sizeof most / sizeof *most; j++) {
            shrink_and_check(keep[i], most[j]);
        }
    }
}

/* ---- from where on ---- */

/* Beyond twice what stays, and not before. */
TEST_CASE(shrink, settles_beyond_twice_what_stays)
{
    for (unsigned used = 200; used <= 204; used++) {
        unsigned given = 0;

        begin(true);
        take(used + 300);
        (void)rm_pool_trim(pool);
        for (;; given++) {
            bool settles = given > 2 * (KEEP + rm_load_relaxed(&pool->busy_slabs) / SHARE);

            now_ns += RM_PEAK_MAPPED_NS;
            rm_pool_settle(pool, 1);
            REQUIRE_EQ(dirty_slabs() != given, settles, "%u in use at first, %u given", used, given);
            if (settles) {
                break;
            }
            slabs--;
            rm_pool_add_idle(pool, slab[slabs]->extent, UINT64_C(1) << slab[slabs]->index);
            (void)rm_add_relaxed(&pool->node_bytes, 0 - (uint64_t)RM_SLAB_LINES * RM_CACHE_LINE);
        }
        give(slabs);
        end(true);
    }
}

/* Each sixteenth slab that falls idle is when it looks. */
TEST_CASE(shrink, looks_at_each_sixteenth)
{
    uint64_t last = 0;
    unsigned steps = 0;

    begin(true);
    take(600);
    for (unsigned i = 1; slabs > 0; i++) {
        uint64_t before = dirty_slabs();

        now_ns += RM_PEAK_MAPPED_NS;
        give(1);
        if (dirty_slabs() != before + 1) {
            CHECK_EQ(i % 16, 0u, "slab %u", i);
            steps++;
            last = i;
        }
    }
    CHECK_GE(steps, 2u);
    CHECK_GE(last, 100u);
    CHECK_LE(dirty_slabs(), 2u * KEEP + 16);
    end(true);
}

static uint64_t there_bytes(void)
{
    struct rm_pool_usage usage = rm_pool_measure(pool);

    return usage.chunk_bytes - usage.discarded_bytes;
}

/* What was in use lately stays, to the instant: half of the time at least, and no longer. */
static void stays_until(bool mapped, uint64_t kept_ns, uint64_t later_ns)
{
    enum { MANY = 1000 };
    uint64_t bytes;

    begin(mapped);
    rm_pool_settle(pool, UINT64_MAX); /* a span of time begins */
    now_ns += later_ns;
    take(MANY);
    rm_pool_settle(pool, UINT64_MAX);
    bytes = there_bytes();
    give(MANY - 10);
    now_ns += kept_ns - later_ns - 1;
    rm_pool_settle(pool, UINT64_MAX);
    CHECK_EQ(there_bytes(), bytes, "not yet");
    now_ns += 1;
    rm_pool_settle(pool, UINT64_MAX);
    CHECK_LT(there_bytes(), bytes / 2, "now");
    give(slabs);
    end(mapped);
}

TEST_CASE(shrink, what_was_in_use_lately_stays_until_its_time)
{
    enum { SECOND = 1000000000 };

    stays_until(true, SECOND, 0);
    stays_until(true, SECOND, SECOND / 2 - 1); /* at the end of the span: half a second */
    stays_until(false, UINT64_C(10) * SECOND, 0);
    stays_until(false, UINT64_C(10) * SECOND, UINT64_C(5) * SECOND - 1);
}

/* A peak that is a little lower than one before it counts as well; and where nobody looks, time passes, too. */
TEST_CASE(shrink, each_peak_counts)
{
    uint64_t bytes;

    begin(true);
    take(1000);
    rm_pool_settle(pool, UINT64_MAX);
    bytes = there_bytes();
    for (unsigned breath = 0; breath < 10; breath++) {
        give(900);
        for (unsigned look = 0; look < 3; look++) {
            now_ns += 100000000;
            rm_pool_settle(pool, UINT64_MAX);
        }
        CHECK_EQ(there_bytes(), bytes, "breath %u", breath);
        take(990 - breath);
        rm_pool_settle(pool, UINT64_MAX);
    }
    give(900);
    now_ns += 5 * RM_PEAK_MAPPED_NS;
    rm_pool_settle(pool, UINT64_MAX);
    CHECK_LT(there_bytes(), bytes / 2);
    give(slabs);
    end(true);
}

/* At once, but for a caller's, all that is beyond the hysteresis; and that only. */
static void settle_at_once(bool mapped)
{
    enum { MANY = 1000, LEFT = 100 };
    uint64_t bytes;

    begin(mapped);
    take(MANY);
    rm_pool_settle(pool, UINT64_MAX);
    give(MANY - LEFT);
    bytes = there_bytes();
    rm_pool_settle_now(pool);
    CHECK_EQ(there_bytes() < bytes, mapped);
    if (mapped) {
        CHECK_LE(dirty_slabs(), 2u * (KEEP + LEFT / SHARE));
        CHECK_GE(dirty_slabs(), (unsigned)KEEP);
        CHECK_GT(rm_pool_trim(pool), 0, "a trim gives more");
    }
    give(slabs);
    end(mapped);
}

TEST_CASE(shrink, settles_at_once)
{
    settle_at_once(true);
    settle_at_once(false);
}

/* Half of the peak or more is idle, which is more than twice what the peak asks to keep: as much as is below it. */
TEST_CASE(shrink, what_is_below_the_peak_counts_once)
{
    begin(false);
    take(400);
    rm_pool_settle(pool, UINT64_MAX);
    for (unsigned i = 0; i < 2; i++) { /* idle slabs that were none of the peak */
        uint64_t below, busy;

        give(150);
        busy = rm_load_relaxed(&pool->busy_slabs);
        below = 400 - busy;
        CHECK_LE(dirty_slabs(), 2 * (below > KEEP + busy / SHARE ? below : KEEP + busy / SHARE));
    }
    give(slabs);
    end(false);
}
