// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every request for a gap that there can be in a few keys, of every map that there can be of them, against a model that
 * tries every start.
 */
#include <errno.h>

#include "rangemap/rangemap.h"
#include "test/oracle/dense.h"
#include "test/shim/ctest.h"

enum { KEYS = 6, LENGTHS = 3 };

/* Keys from the model's base on; `taken` has a bit for each that a range of its own holds. */
struct few {
    struct rangemap *map;
    struct dense dense;
    unsigned taken;
};

static void check(const struct few *few, const struct rangemap_gap_request *request)
{
    uint64_t base = few->dense.base, expected = 0, start = 0;
    bool found = dense_gap(&few->dense, request, &expected);
    int error = rangemap_gap_find(few->map, request, &start);

    if (error != (found ? 0 : -ENOSPC) || start != expected) {
        CHECK(false,
              "taken %#x from %#llx: %u keys by %u in [%u, %u], hint %u, from top %d, fit %d: %d, %llu for "
              "%llu",
              few->taken, (unsigned long long)base, (unsigned)request->length, (unsigned)request->alignment,
              (unsigned)(request->low - base), (unsigned)(request->high - base),
              (unsigned)(request->hint - base), request->from_top, (int)request->fit, error,
              (unsigned long long)start, (unsigned long long)expected);
    }
}

static void check_fits(const struct few *few, struct rangemap_gap_request request)
{
    for (unsigned from_top = 0; from_top < 2; from_top++) {
        request.from_top = from_top != 0;
        for (request.alignment = 0; request.alignment <= 4; request.alignment += 2) {
            request.fit = RANGEMAP_GAP_FIRST;
            check(few, &request);
            request.fit = RANGEMAP_GAP_BEST;
            check(few, &request);
            request.fit = RANGEMAP_GAP_NEXT;
            for (unsigned hint = 0; hint < KEYS; hint++) {
                request.hint = few->dense.base + hint;
                check(few, &request);
            }
        }
    }
}

static void check_requests(const struct few *few)
{
    uint64_t base = few->dense.base;

    for (uint64_t length = 1; length <= LENGTHS; length++) {
        for (unsigned low = 0; low < KEYS; low++) {
            for (unsigned high = low; high < KEYS; high++) {
                check_fits(few, (struct rangemap_gap_request){
                                    .length = length, .low = base + low, .high = base + high, .hint = base});
            }
        }
    }
}

static void check_maps(uint64_t base, bool track_gaps)
{
    const struct rangemap_options options = {.track_gaps = track_gaps};
    static struct few few;

    for (few.taken = 0; few.taken < 1u << KEYS; few.taken++) {
        REQUIRE_EQ(rangemap_create(&options, &few.map), 0);
        dense_init(&few.dense, base, KEYS, false);
        for (unsigned key = 0; key < KEYS; key++) {
            if ((few.taken >> key & 1) != 0) {
                REQUIRE_EQ(rangemap_insert(few.map, base + key, base + key, NULL, NULL), 0);
                REQUIRE(dense_insert(&few.dense, base + key, base + key, NULL));
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
