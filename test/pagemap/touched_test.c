// SPDX-License-Identifier: BSD-2-Clause
/* Marks of struct pages that were grabbed, beside a list of them: any marks, any bounds, any part that is cleared. */
#include "pagemap/vmemmap/touched.h"

#include <string.h>

#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { PFNS = 1 << 21, BITS = 5 * 64, ROUNDS = 300, QUERIES = 2000 };

static bool marks[BITS];

static uint64_t next_by_list(uint64_t pfn, uint64_t last_pfn)
{
    for (uint64_t at = pfn; at <= last_pfn; at = ((at >> PM_TOUCHED_SHIFT) + 1) << PM_TOUCHED_SHIFT) {
        if (marks[at >> PM_TOUCHED_SHIFT]) {
            return at;
        }
    }
    return UINT64_MAX;
}

static void mark(struct prng *prng)
{
    uint64_t pfn = prng_below(prng, (uint64_t)BITS << PM_TOUCHED_SHIFT);

    pm_touched_mark(pfn);
    marks[pfn >> PM_TOUCHED_SHIFT] = true;
}

/* Whole groups of pages that share a mark. */
static void clear(struct prng *prng)
{
    uint64_t first = prng_below(prng, BITS), count = prng_between(prng, 1, BITS - first);

    pm_touched_clear(first << PM_TOUCHED_SHIFT, count << PM_TOUCHED_SHIFT);
    memset(marks + first, 0, count);
}

static void check_queries(struct prng *prng)
{
    for (unsigned i = 0; i < QUERIES; i++) {
        uint64_t pfn = prng_below(prng, (uint64_t)BITS << PM_TOUCHED_SHIFT);
        uint64_t last_pfn = prng_between(prng, pfn, ((uint64_t)BITS << PM_TOUCHED_SHIFT) - 1);

        REQUIRE_EQ(pm_touched_next(pfn, last_pfn), next_by_list(pfn, last_pfn), "from %u to %u",
                   (unsigned)pfn, (unsigned)last_pfn);
        REQUIRE_EQ(pm_is_touched(pfn), marks[pfn >> PM_TOUCHED_SHIFT]);
    }
}

TEST_CASE(touched, marks_are_those_of_a_list)
{
    struct prng prng = prng_stream(test_seed(), 0);

    REQUIRE_EQ(pm_touched_reserve(PFNS), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint64_t i = prng_below(&prng, 40); i > 0; i--) {
            mark(&prng);
        }
        check_queries(&prng);
        clear(&prng);
        check_queries(&prng);
    }
}
