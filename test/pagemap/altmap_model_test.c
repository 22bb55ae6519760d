// SPDX-License-Identifier: BSD-2-Clause
/* Blocks of an altmap beside the plainest search for them, over all small numbers; and each limit of what it may be. */
#include <errno.h>
#include <string.h>

#include "pagemap/altmap/altmap.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"

/* The first place behind what is in use that is aligned and has room; UINT64_MAX: none. */
static uint64_t first_place(const struct vmem_altmap *altmap, uint64_t nr_pfns)
{
    const uint64_t start = altmap->base_pfn + altmap->reserve, end = start + altmap->free;
    uint64_t pfn = start + altmap->alloc + altmap->align;

    while (pfn % nr_pfns != 0) {
        pfn++;
    }
    if (pfn + nr_pfns > end || (altmap->end_pfn != 0 && pfn + nr_pfns > altmap->end_pfn + 1)) {
        return UINT64_MAX;
    }
    return pfn;
}

static void check_alloc(struct vmem_altmap altmap, uint64_t nr_pfns)
{
    const struct vmem_altmap before = altmap;
    const uint64_t place = first_place(&altmap, nr_pfns), used = before.alloc + before.align;

    REQUIRE_EQ(pm_altmap_alloc(&altmap, nr_pfns), place,
               "%u of base %u, reserve %u, free %u, end %u, used %u", (unsigned)nr_pfns,
               (unsigned)before.base_pfn, (unsigned)before.reserve, (unsigned)before.free,
               (unsigned)before.end_pfn, (unsigned)used);
    if (place == UINT64_MAX) {
        REQUIRE_EQ(memcmp(&altmap, &before, sizeof altmap), 0);
    } else {
        REQUIRE_EQ(altmap.alloc, before.alloc + nr_pfns);
        REQUIRE_EQ(altmap.base_pfn + altmap.reserve + altmap.alloc + altmap.align, place + nr_pfns);
    }
}

TEST_CASE(altmap_model, each_block)
{
    static const uint64_t bases[] = {0, 1, 16, 1000};

    for (unsigned base = 0; base < 4; base++) {
        for (uint64_t reserve = 0; reserve < 4; reserve++) {
            for (uint64_t free = 0; free < 20; free++) {
                for (uint64_t used = 0; used <= free; used++) {
                    for (uint64_t end = 0; end < 20; end++) {
                        const struct vmem_altmap altmap = {.base_pfn = bases[base],
                                                           .reserve = reserve,
                                                           .free = free,
                                                           .end_pfn = end == 0 ? 0 : bases[base] + end,
                                                           .alloc = used - used / 3,
                                                           .align = used / 3};

                        for (uint64_t nr_pfns = 1; nr_pfns <= 16; nr_pfns *= 2) {
                            check_alloc(altmap, nr_pfns);
                        }
                    }
                }
            }
        }
    }
}

/* Numbers so large that their sums would wrap. */
TEST_CASE(altmap_model, no_sum_wraps)
{
    struct vmem_altmap altmap = {.base_pfn = 8, .free = UINT64_MAX};

    CHECK_EQ(pm_altmap_alloc(&altmap, UINT64_C(1) << 63), UINT64_C(1) << 63);
    CHECK_EQ(pm_altmap_alloc(&altmap, UINT64_C(1) << 63), UINT64_MAX);
}

TEST_CASE(altmap_model, what_is_given_back)
{
    warnings_count();
    for (uint64_t alloc = 0; alloc < 4; alloc++) {
        for (uint64_t n = 0; n < 6; n++) {
            struct vmem_altmap altmap = {.alloc = alloc, .align = 7};

            vmem_altmap_free(&altmap, n);
            CHECK_EQ(altmap.alloc, n <= alloc ? alloc - n : alloc);
            CHECK_EQ(altmap.align, 7);
            CHECK_EQ(warnings_take(), n > alloc);
        }
    }
}

TEST_CASE(altmap_model, limits)
{
    for (uint64_t reserve = 0; reserve < 6; reserve++) {
        for (uint64_t free = 0; free < 6; free++) {
            struct vmem_altmap altmap = {.base_pfn = 100, .reserve = reserve, .free = free};

            CHECK_EQ(vmem_altmap_offset(&altmap), reserve + free);
            for (uint64_t nr_pfns = 0; nr_pfns < 12; nr_pfns++) {
                CHECK_EQ(pm_altmap_check(&altmap, 100, nr_pfns), reserve + free <= nr_pfns ? 0 : -EINVAL);
                CHECK_EQ(pm_altmap_check(&altmap, 99, nr_pfns), -EINVAL);
                CHECK_EQ(pm_altmap_check(&altmap, 101, nr_pfns), -EINVAL);
            }
            altmap.free = UINT64_MAX;
            CHECK_EQ(pm_altmap_check(&altmap, 100, 8), -EINVAL);
            altmap.reserve = UINT64_MAX;
            CHECK_EQ(pm_altmap_check(&altmap, 100, 8), -EINVAL);
        }
    }
    CHECK_EQ(vmem_altmap_offset(NULL), 0);
}
