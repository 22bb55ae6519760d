// SPDX-License-Identifier: BSD-2-Clause
/* Maps that track gaps: classes, and how many nodes a search looks into. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "rangemap/map/gap_search.h"
#include "rangemap/node/gap_class.h"
#include "test/check/compare.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { RANGES = 100000, STRIDE = 512 };

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* So many ranges, one every STRIDE keys, with `gap` free keys behind each. */
static struct rangemap *short_row(uint64_t ranges, uint64_t gap)
{
    struct rangemap_options options = {.track_gaps = true};
    struct rangemap_entry *entry = calloc(ranges, sizeof *entry);
    struct rangemap *map = NULL;

    REQUIRE_NE(entry, NULL);
    for (uint64_t i = 0; i < ranges; i++) {
        entry[i] = (struct rangemap_entry){i * STRIDE, i * STRIDE + STRIDE - 1 - gap, word(i)};
    }
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entry, ranges, NULL), 0);
    free(entry);
    return map;
}

static struct rangemap *row_of(uint64_t gap)
{
    return short_row(RANGES, gap);
}

static uint64_t height_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics.height;
}

/* Of an exact search, which must find what is wanted: a start, or nothing (UINT64_MAX). */
static uint64_t visits_of(const struct rangemap *map, const struct rangemap_gap_request *request,
                          uint64_t wanted)
{
    struct rm_gap_search search;

    REQUIRE(rm_gap_search_init(&search, map, request));
    REQUIRE_EQ(rm_gap_search_exact(&search), wanted == UINT64_MAX ? -ENOSPC : 0);
    REQUIRE_EQ(search.found ? search.start : UINT64_MAX, wanted);
    return search.visits;
}

static const struct rangemap_gap_request in_row = {.length = STRIDE, .high = (uint64_t)RANGES * STRIDE - 1};

TEST_CASE(gap, classes_ascend_with_length)
{
    uint64_t step = 1;

    for (uint64_t length = 0; length < 100000; length++) {
        REQUIRE_LE(rm_gap_class(length), rm_gap_class(length + 1));
    }
    for (uint64_t length = 1; length < UINT64_MAX - step; length += step, step = length / 500 + 1) {
        REQUIRE_LE(rm_gap_class(length - 1), rm_gap_class(length));
    }
    for (uint64_t length = 0; length < RM_CLASS_EXACT; length++) {
        REQUIRE_EQ(rm_gap_class(length), length);
    }
    CHECK_LT(rm_gap_class(UINT64_MAX), (unsigned)RM_CLASS_END);
    for (unsigned bit = 1; bit < 64; bit++) {
        REQUIRE_LT(rm_gap_class((UINT64_C(1) << bit) - 1), rm_gap_class(UINT64_C(1) << bit));
    }
}

TEST_CASE(gap, words_hold_any_class)
{
    struct rm_node *node = (struct rm_node *)(uintptr_t)UINT64_C(0x01ffffffffffffc0);

    for (unsigned gap_class = 0; gap_class < RM_CLASS_END; gap_class++) {
        uint64_t unfrozen = rm_slot_word(node, gap_class);

        REQUIRE_EQ(rm_slot_class(unfrozen), gap_class);
        REQUIRE_EQ(rm_slot_class(unfrozen | RM_FROZEN), gap_class);
        REQUIRE_EQ(rm_slot_node(unfrozen | RM_FROZEN), node);
        REQUIRE(!rm_slot_is_frozen(unfrozen));
    }
}

/* One hole, anywhere, from either end; or none. */
TEST_CASE(gap, one_hole_is_found_on_one_way_down)
{
    struct rangemap *map = row_of(0);
    uint64_t most = 2 * (height_of(map) + 1), start;

    CHECK_LE(visits_of(map, &in_row, UINT64_MAX), most);
    for (uint64_t i = 0; i < RANGES; i += RANGES / 50 + 1) {
        struct rangemap_gap_request from_top = in_row;

        from_top.from_top = true;
        REQUIRE_EQ(rangemap_erase(map, i * STRIDE, NULL), 0);
        CHECK_LE(visits_of(map, &in_row, i * STRIDE), most);
        CHECK_LE(visits_of(map, &from_top, i * STRIDE), most);
        REQUIRE_EQ(rangemap_gap_allocate(map, &in_row, word(i), &start), 0);
        CHECK_EQ(start, i * STRIDE);
        REQUIRE_EQ(rangemap_gap_allocate(map, &in_row, word(i), &start),
                   -ENOSPC); /* which tightens the classes */
    }
    require_valid(map, "holes");
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* What an allocation passes on its way is tight again when it is done, each node of it. */
static void check_tightened(uint64_t ranges, uint64_t first, uint64_t second)
{
    struct rangemap *map = short_row(ranges, 0);
    const struct rangemap_gap_request request = {.length = STRIDE, .high = ranges * STRIDE - 1};
    const uint64_t passed = first * STRIDE, wanted = second * STRIDE;
    uint64_t least, start;

    REQUIRE_EQ(rangemap_erase(map, wanted, NULL), 0);
    least = visits_of(map, &request, wanted);
    REQUIRE_EQ(rangemap_erase(map, passed, NULL), 0);
    REQUIRE_EQ(rangemap_insert(map, passed, passed + STRIDE - 1, word(1), NULL), 0);
    CHECK_GT(visits_of(map, &request, wanted), least);
    REQUIRE_EQ(rangemap_gap_allocate(map, &request, word(2), &start), 0);
    CHECK_EQ(start, wanted);
    REQUIRE_EQ(rangemap_erase(map, wanted, NULL), 0);
    CHECK_EQ(visits_of(map, &request, wanted), least);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(gap, what_an_allocation_passes_is_tightened)
{
    check_tightened(3000, 300, 1500); /* one node */
    check_tightened(RANGES, 1000, 60000);
}

/* Gaps that are too short, but of another class, cost nothing. */
TEST_CASE(gap, other_classes_are_passed)
{
    struct rangemap *map = row_of(199);
    struct rangemap_gap_request request = in_row;

    request.length = 200;
    CHECK_LE(visits_of(map, &request, UINT64_MAX), 2 * (height_of(map) + 1));
    CHECK_EQ(rangemap_destroy(map), 0);
}

/*
 * The worst case: all gaps just miss, in the request's own class. All leaves are looked into; that is a tenth of the
 * ranges.
 */
TEST_CASE(gap, the_worst_case_is_a_look_into_every_leaf)
{
    struct rangemap *map = row_of(198);
    struct rangemap_gap_request request = in_row;
    uint64_t visits;

    request.length = 199;
    REQUIRE_EQ(rm_gap_class(198), rm_gap_class(199));
    visits = visits_of(map, &request, UINT64_MAX);
    printf("%" PRIu64 " visits of %d ranges\n", visits, RANGES);
    CHECK_LE(visits, (uint64_t)RANGES / 10);
    CHECK_GE(visits, (uint64_t)RANGES / 15);
    /* Likewise where they are long enough, but not aligned. */
    request.length = 198;
    request.alignment = STRIDE / 2;
    CHECK_LE(visits_of(map, &request, UINT64_MAX), (uint64_t)RANGES / 10);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* Allocations that fill what erases free leave loose classes behind; those that follow repair them. */
TEST_CASE(gap, churn_leaves_no_loose_classes_to_speak_of)
{
    struct rangemap *map = row_of(0);
    struct prng random = prng_stream(test_seed(), 1);
    uint64_t visits = 0, rounds = 20000, start;

    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t key = prng_below(&random, RANGES) * STRIDE;
        struct rm_gap_search search;

        REQUIRE_EQ(rangemap_erase(map, key, NULL), 0);
        REQUIRE(rm_gap_search_init(&search, map, &in_row));
        REQUIRE_EQ(rm_gap_search_current(&search), 0);
        visits += search.visits;
        REQUIRE_EQ(rangemap_gap_allocate(map, &in_row, word(i), &start), 0);
        REQUIRE_EQ(start, key);
    }
    printf("%.1f visits each, height %" PRIu64 "\n", (double)visits / (double)rounds, height_of(map));
    CHECK_LE(visits, rounds * 3 * (height_of(map) + 1));
    require_valid(map, "churn");
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- memory whose addresses slots cannot hold ---- */

static const uint64_t tag = UINT64_C(1) << 60;
static unsigned taken, given_back;

static void *tagged_alloc(size_t bytes, size_t alignment, void *context)
{
    void *memory = aligned_alloc(alignment, bytes);

    (void)context;
    taken++;
    return (void *)((uintptr_t)memory | tag);
}

static void tagged_free(void *chunk, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    given_back++;
    free((void *)((uintptr_t)chunk & ~tag));
}

TEST_CASE(gap, memory_with_tagged_addresses_is_refused)
{
    const struct rangemap_chunk_allocator chunks = {tagged_alloc, tagged_free, NULL};
    struct rangemap_domain_options domain_options = {.chunks = &chunks};
    struct rangemap_domain *domain = NULL;

    taken = given_back = 0;
    CHECK_EQ(rangemap_domain_create(&domain_options, &domain), -ENOMEM, "it lies in its first chunk");
    CHECK_GE(taken, 1u);
    CHECK_EQ(given_back, taken);
}
