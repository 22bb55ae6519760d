// SPDX-License-Identifier: BSD-2-Clause
/*
 * Questions about gaps that one leaf settles leave the clock of their map alone; the others move it, once. Both ways
 * give the same answers, so the clock is all that tells them apart.
 */
#include <errno.h>

#include "rangemap/map/inspect.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { RANGES = 300, STEP = 10, WIDTH = 5, END = RANGES * STEP, LEAVES_MAX = 300 };

struct leaves {
    struct rm_span span[LEAVES_MAX];
    unsigned count;
};

static bool note_leaf(void *state, const struct rm_place *place)
{
    struct leaves *leaves = state;

    if (rm_meta_level(place->meta) == 0) {
        leaves->span[leaves->count++] = place->span;
    }
    return true;
}

static struct leaves leaves;

/* Ranges and gaps of five keys each, in turn. */
static struct rangemap *row(bool track_gaps)
{
    static struct rangemap_entry entries[RANGES];
    const struct rangemap_options options = {.track_gaps = track_gaps};
    struct rangemap *map = NULL;

    for (uint64_t i = 0; i < RANGES; i++) {
        entries[i] = (struct rangemap_entry){STEP * i, STEP * i + WIDTH - 1, NULL};
    }
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entries, RANGES, NULL), 0);
    leaves.count = 0;
    REQUIRE_EQ(rm_inspect(map, note_leaf, &leaves), 0);
    REQUIRE_GT(leaves.count, 10u);
    return map;
}

static uint64_t clock_of(const struct rangemap *map)
{
    return rm_load_relaxed(&map->clock);
}

static const struct rm_span *leaf_of(uint64_t key)
{
    unsigned i = 0;

    while (leaves.span[i].high < key) {
        i++;
    }
    return &leaves.span[i];
}

static bool is_held(uint64_t key)
{
    return key % STEP < WIDTH && key < END;
}

/* The gap that holds a free key. Leaves begin with a range: a gap may end with its leaf, not begin with it. */
static struct rangemap_gap gap_of(uint64_t key)
{
    uint64_t start = key < END ? key / STEP * STEP + WIDTH : END - WIDTH;

    return (struct rangemap_gap){start, start >= END - WIDTH ? UINT64_MAX : start + WIDTH - 1};
}

static bool ends_with_leaf(uint64_t key)
{
    return gap_of(key).last == leaf_of(key)->high;
}

TEST_CASE(gap_clock, at_a_key)
{
    struct rangemap *map = row(false);

    for (uint64_t key = 0; key < END + STEP; key++) {
        uint64_t before = clock_of(map);
        struct rangemap_gap gap = {1, 0};

        REQUIRE_EQ(rangemap_gap_at(map, key, &gap), is_held(key) ? -ENOENT : 0);
        REQUIRE_EQ(clock_of(map), before + (!is_held(key) && ends_with_leaf(key)), "key %u", (unsigned)key);
        if (!is_held(key)) {
            REQUIRE_EQ(gap.start, gap_of(key).start);
            REQUIRE_EQ(gap.last, gap_of(key).last);
        }
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(gap_clock, next)
{
    struct rangemap *map = row(false);

    for (uint64_t key = 0; key < END + STEP; key++) {
        uint64_t before = clock_of(map), at = is_held(key) ? key / STEP * STEP + WIDTH : key;
        struct rangemap_gap gap = {1, 0};

        REQUIRE_EQ(rangemap_gap_next(map, key, &gap), 0);
        REQUIRE_EQ(clock_of(map), before + ends_with_leaf(at), "key %u", (unsigned)key);
        REQUIRE_EQ(gap.start, gap_of(at).start);
        REQUIRE_EQ(gap.last, gap_of(at).last);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* Ranges that touch are passed in their leaf, which begins with one of them; what lies behind it takes an instant. */
TEST_CASE(gap_clock, next_over_ranges_that_touch)
{
    struct rangemap *map = row(false);
    const struct rm_span second = leaves.span[1];
    struct rangemap_gap gap = {1, 0};
    uint64_t before, moved;

    for (uint64_t start = second.low; start + 2 * STEP < second.high; start += STEP) {
        REQUIRE_EQ(rangemap_store(map, start + WIDTH, start + STEP - 1, NULL, NULL, NULL), 0);
        before = clock_of(map);
        REQUIRE_EQ(rangemap_gap_next(map, second.low + 1, &gap), 0);
        moved = clock_of(map) - before;
        CHECK_EQ(gap.start, start + STEP + WIDTH);
        CHECK_EQ(gap.last, start + 2 * STEP - 1);
        leaves.count = 0;
        REQUIRE_EQ(rm_inspect(map, note_leaf, &leaves), 0);
        CHECK_EQ(moved, leaf_of(second.low)->high <= gap.last, "up to %u", (unsigned)start);
    }
    REQUIRE_EQ(rangemap_store(map, second.low, UINT64_MAX, NULL, NULL, NULL), 0);
    before = clock_of(map);
    CHECK_EQ(rangemap_gap_next(map, second.low, &gap), -ENOSPC);
    CHECK_EQ(clock_of(map), before, "the last key is held");
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- searches ---- */

/*
 * Whether a stretch of free keys ends the search in the leaf where that begins: one that serves, and for the best fit
 * one of just that length. Such as go on behind the leaf are not known to, but where the leaf covers all of the window.
 */
static bool ends_search(uint64_t low, uint64_t high, const struct rangemap_gap_request *request, bool whole)
{
    uint64_t length = 0;
    bool ends = false;

    for (uint64_t i = 0; i <= high - low + (whole ? 1 : 0); i++) {
        bool at_end = i > high - low;

        if (!at_end && !is_held(request->from_top ? high - i : low + i)) {
            length++;
            continue;
        }
        ends = ends ||
               (request->fit == RANGEMAP_GAP_BEST ? length == request->length : length >= request->length);
        length = 0;
    }
    return ends;
}

/* The clock moves if that leaf settles nothing. */
static void check_search(struct rangemap *map, const struct rangemap_gap_request *request)
{
    bool next = request->fit == RANGEMAP_GAP_NEXT, down = request->from_top;
    uint64_t low = next && !down ? request->hint : request->low,
             high = next && down ? request->hint : request->high;
    const struct rm_span *leaf = leaf_of(down ? high : low);
    uint64_t from = leaf->low > low ? leaf->low : low, to = leaf->high < high ? leaf->high : high;
    bool whole = from == low && to == high, part = low != request->low || high != request->high;
    uint64_t before = clock_of(map), start;
    int error = rangemap_gap_find(map, request, &start);

    REQUIRE(error == 0 || error == -ENOSPC);
    REQUIRE_EQ(clock_of(map) == before, ends_search(from, to, request, whole) || (whole && !part),
               "%u..%u, hint %u, %u keys, fit %u, %s", (unsigned)request->low, (unsigned)request->high,
               (unsigned)request->hint, (unsigned)request->length, (unsigned)request->fit,
               down ? "down" : "up");
}

static void check_window(struct rangemap *map, uint64_t low, uint64_t high, uint64_t length)
{
    struct rangemap_gap_request request = {.low = low, .high = high, .length = length};

    for (unsigned from_top = 0; from_top < 2; from_top++) {
        request.from_top = from_top != 0;
        request.fit = RANGEMAP_GAP_FIRST;
        check_search(map, &request);
        request.fit = RANGEMAP_GAP_BEST;
        check_search(map, &request);
        request.fit = RANGEMAP_GAP_NEXT;
        request.hint = low;
        check_search(map, &request);
        request.hint = high;
        check_search(map, &request);
        request.hint = low + (high - low) / 2;
        check_search(map, &request);
    }
}

/* All windows near a boundary of leaves. */
TEST_CASE(gap_clock, searches)
{
    struct rangemap *map = row(false);
    uint64_t edge = leaves.span[5].low;

    for (uint64_t low = edge - 25; low < edge + 25; low++) {
        for (uint64_t high = low; high < edge + 25; high++) {
            for (uint64_t length = 1; length <= WIDTH + 1; length++) {
                check_window(map, low, high, length);
            }
        }
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* What a search comes across in the tree as it is serves an allocation, which puts it to the test. */
TEST_CASE(gap_clock, allocations)
{
    for (unsigned tracks = 0; tracks < 2; tracks++) {
        struct rangemap *map = row(tracks != 0);
        const struct rangemap_gap_request far = {.low = 0, .high = UINT64_MAX, .length = WIDTH + 1};
        const struct rangemap_gap_request none = {.low = 0, .high = END - 1, .length = WIDTH * 2};
        uint64_t start = 0, before = clock_of(map);

        REQUIRE_EQ(rangemap_gap_allocate(map, &far, NULL, &start), 0);
        CHECK_EQ(start, (uint64_t)END - WIDTH);
        CHECK_EQ(clock_of(map), before + (tracks == 0), "a snapshot only where gaps are not tracked");
        before = clock_of(map);
        REQUIRE_EQ(rangemap_gap_allocate(map, &none, NULL, &start), -ENOSPC);
        CHECK_EQ(clock_of(map), before + 1, "that there is none holds at one instant");
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}
