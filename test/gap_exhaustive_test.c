// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every request for a gap that there can be in a few keys, of every map that there can be of them, against what the
 * header says, word by word.
 */
#include <errno.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { KEYS = 6, LENGTHS = 3 };

/* Keys from `base` on; `taken` has a bit for each that a range of its own holds. */
struct few {
    struct rangemap *map;
    uint64_t base;
    unsigned taken;
};

/* All in keys relative to the base. */
struct request {
    unsigned length, alignment, low, high, hint;
    bool from_top;
    enum rangemap_gap_fit fit;
};

static bool is_free(const struct few *few, unsigned first, unsigned last)
{
    unsigned keys = ((1u << (last + 1)) - 1) & ~((1u << first) - 1);

    return (few->taken & keys) == 0;
}

static bool serves(const struct few *few, const struct request *request, unsigned start)
{
    unsigned last = start + request->length - 1;

    return start >= request->low && last <= request->high && is_free(few, start, last) &&
           (request->alignment == 0 || (few->base + start) % request->alignment == 0);
}

static bool lies_behind_hint(const struct request *request, unsigned start)
{
    return request->from_top ? start + request->length - 1 <= request->hint : start >= request->hint;
}

/* How long the gap is, as far as it lies in the window. */
static unsigned gap_length(const struct few *few, const struct request *request, unsigned start)
{
    unsigned first = start, last = start;

    while (first > request->low && is_free(few, first - 1, first)) {
        first--;
    }
    while (last < request->high && is_free(few, last, last + 1)) {
        last++;
    }
    return last - first + 1;
}

/* What makes a start worse than all that have less of it, but how near it is. */
static unsigned badness(const struct few *few, const struct request *request, unsigned start)
{
    switch (request->fit) {
    case RANGEMAP_GAP_BEST:
        return gap_length(few, request, start);
    case RANGEMAP_GAP_NEXT:
        return !lies_behind_hint(request, start);
    default:
        return 0;
    }
}

/* The start that is to be found, or KEYS. */
static unsigned best_start(const struct few *few, const struct request *request)
{
    unsigned best = KEYS, least = KEYS + 1;

    for (unsigned i = 0; i < KEYS; i++) {
        unsigned start = request->from_top ? KEYS - 1 - i : i;

        if (serves(few, request, start) && badness(few, request, start) < least) {
            best = start;
            least = badness(few, request, start);
        }
    }
    return best;
}

static void check(const struct few *few, const struct request *request)
{
    const struct rangemap_gap_request asked = {
        .length = request->length,
        .alignment = request->alignment,
        .low = few->base + request->low,
        .high = few->base + request->high,
        .hint = few->base + request->hint,
        .from_top = request->from_top,
        .fit = request->fit,
    };
    unsigned expected = best_start(few, request);
    uint64_t start = few->base + KEYS;
    int error = rangemap_gap_find(few->map, &asked, &start);

    if (error != (expected == KEYS ? -ENOSPC : 0) || start - few->base != expected) {
        CHECK(
            false,
            "taken %#x from %#llx: %u keys by %u in [%u, %u], hint %u, from top %d, fit %d: %d, %llu for %u",
            few->taken, (unsigned long long)few->base, request->length, request->alignment, request->low,
            request->high, request->hint, request->from_top, (int)request->fit, error,
            (unsigned long long)(start - few->base), expected);
    }
}

static void check_fits(const struct few *few, struct request request)
{
    for (unsigned from_top = 0; from_top < 2; from_top++) {
        request.from_top = from_top != 0;
        for (request.alignment = 0; request.alignment <= 4; request.alignment += 2) {
            request.fit = RANGEMAP_GAP_FIRST;
            check(few, &request);
            request.fit = RANGEMAP_GAP_BEST;
            check(few, &request);
            request.fit = RANGEMAP_GAP_NEXT;
            for (request.hint = 0; request.hint < KEYS; request.hint++) {
                check(few, &request);
            }
            request.hint = 0;
        }
    }
}

static void check_requests(const struct few *few)
{
    struct request request = {.length = 1};

    for (request.length = 1; request.length <= LENGTHS; request.length++) {
        for (request.low = 0; request.low < KEYS; request.low++) {
            for (request.high = request.low; request.high < KEYS; request.high++) {
                check_fits(few, request);
            }
        }
    }
}

static void check_maps(uint64_t base, bool track_gaps)
{
    const struct rangemap_options options = {.track_gaps = track_gaps};

    for (unsigned taken = 0; taken < 1u << KEYS; taken++) {
        struct few few = {NULL, base, taken};

        REQUIRE_EQ(rangemap_create(&options, &few.map), 0);
        for (unsigned key = 0; key < KEYS; key++) {
            if ((taken >> key & 1) != 0) {
                REQUIRE_EQ(rangemap_insert(few.map, base + key, base + key, NULL, NULL), 0);
            }
        }
        check_requests(&few);
        CHECK_EQ(rangemap_destroy(few.map), 0);
    }
}

TEST_CASE(gap_exhaustive, at_the_bottom)
{
    check_maps(0, false);
    check_maps(0, true);
}

TEST_CASE(gap_exhaustive, in_the_middle)
{
    check_maps(1003, false);
    check_maps(1003, true);
}

TEST_CASE(gap_exhaustive, at_the_top)
{
    check_maps(UINT64_MAX - KEYS + 1, false);
    check_maps(UINT64_MAX - KEYS + 1, true);
}
