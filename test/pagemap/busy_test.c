// SPDX-License-Identifier: BSD-2-Clause
/* The search for pages that are busy, and for those that failed, beside a list: any pages, any bounds, any ranges. */
#define _GNU_SOURCE /* sched_getcpu */
#include <string.h>

#include "pagemap/page/busy.h"
#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/prng.h"

enum { PFNS = 1024, ROUNDS = 60, QUERIES = 300 };

static bool busy[PFNS], poisoned[PFNS]; /* busy: of a compound page the first */
static struct file_rig rig;

static uint64_t next_by_list(const bool *list, uint64_t pfn, uint64_t last_pfn)
{
    while (pfn <= last_pfn && !list[pfn]) {
        pfn++;
    }
    return pfn <= last_pfn ? pfn : UINT64_MAX;
}

/* Mostly beside where 64 struct pages end, which share a mark. */
static uint64_t some_pfn(struct prng *prng)
{
    uint64_t pfn = prng_below(prng, PFNS / 64) * 64 + prng_below(prng, 3) * 31 + prng_below(prng, 2);

    return prng_below(prng, 4) == 0 ? prng_below(prng, PFNS) : pfn;
}

static void change(struct prng *prng)
{
    uint64_t pfn = some_pfn(prng), head = pm_head_pfn(&rig.pgmap, pfn);

    if (prng_below(prng, 2) == 0) {
        poisoned[pfn] = !poisoned[pfn];
        CHECK(pm_poison_mark(pm_page_of(&rig.pgmap, pfn), poisoned[pfn]));
        CHECK(!pm_poison_mark(pm_page_of(&rig.pgmap, pfn), poisoned[pfn]), "it is so already");
    } else if (busy[head]) {
        put_page(pfn_to_page(head));
        busy[head] = false;
    } else if (!poisoned[pfn]) {
        REQUIRE_NE(pagemap_get_page(pfn), NULL);
        busy[head] = true;
    }
}

static void check_queries(struct prng *prng)
{
    for (unsigned i = 0; i < QUERIES; i++) {
        uint64_t first = some_pfn(prng), last = some_pfn(prng), pfn = first < last ? first : last;
        uint64_t last_pfn = first < last ? last : first;

        REQUIRE_EQ(pm_next_busy(&rig.pgmap, pfn, last_pfn),
                   next_by_list(busy, pm_head_pfn(&rig.pgmap, pfn), last_pfn), "from %u to %u", (unsigned)pfn,
                   (unsigned)last_pfn);
        REQUIRE_EQ(pm_poison_next(pfn, last_pfn), next_by_list(poisoned, pfn, last_pfn), "from %u to %u",
                   (unsigned)pfn, (unsigned)last_pfn);
    }
}

/* All marks of a part, and no others. */
static void forget(struct prng *prng)
{
    uint64_t first = some_pfn(prng), last = some_pfn(prng), pfn = first < last ? first : last;
    uint64_t last_pfn = first < last ? last : first;

    pm_poison_forget(pfn, last_pfn);
    memset(poisoned + pfn, 0, last_pfn - pfn + 1);
}

static void against_the_list(unsigned shift)
{
    struct prng prng = prng_stream(test_seed(), shift);

    memset(busy, 0, sizeof busy);
    memset(poisoned, 0, sizeof poisoned);
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    if (shift > 0) {
        file_rig_use_compound_pages(&rig);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 8; i++) {
            change(&prng);
        }
        check_queries(&prng);
        if (round % 8 == 7) {
            forget(&prng);
            check_queries(&prng);
        }
    }
    for (uint64_t pfn = 0; pfn < PFNS; pfn++) {
        if (busy[pfn]) {
            put_page(pfn_to_page(pfn));
        }
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(busy, searches_are_those_of_a_list)
{
    against_the_list(0);
    against_the_list(9);
}

/* ---- which range has a page ---- */

enum { RANGES = 9 };

/* At every other 2 MiB, in any order; of each the first and the last page, and those beside them. */
static void check_ranges(struct prng *prng, unsigned nr)
{
    struct {
        struct dev_pagemap pgmap;
        struct range more[RANGES];
    } many;
    struct range first = rig_range(0, 2 * RIG_MB);

    many.pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &first, nr);
    for (unsigned i = 0; i < nr; i++) {
        unsigned other = (unsigned)prng_below(prng, i + 1);
        struct range *ranges = &many.pgmap.range;

        ranges[i] = ranges[other];
        ranges[other] = rig_range((2 * i + 1) * 2 * RIG_MB, 2 * RIG_MB);
    }
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    for (unsigned i = 0; i < nr; i++) {
        const struct range *range = &(&many.pgmap.range)[i];
        const uint64_t low = PHYS_PFN(range->start), high = PHYS_PFN(range->end);

        CHECK_EQ(pm_range_of(&many.pgmap, low), (int)i);
        CHECK_EQ(pm_range_of(&many.pgmap, high), (int)i);
        CHECK_EQ(pm_range_of(&many.pgmap, low - 1), -1);
        CHECK_EQ(pm_range_of(&many.pgmap, high + 1), -1);
        CHECK(pgmap_pfn_valid(&many.pgmap, low) && pgmap_pfn_valid(&many.pgmap, high));
        CHECK(!pgmap_pfn_valid(&many.pgmap, low - 1) && !pgmap_pfn_valid(&many.pgmap, high + 1));
    }
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    CHECK_EQ(pm_range_of(&many.pgmap, PHYS_PFN(many.pgmap.range.start)), nr == 1 ? 0 : -1,
             "it is not mapped");
}

TEST_CASE(busy, ranges_in_any_order)
{
    struct prng prng = prng_stream(test_seed(), 20);

    warnings_count();
    for (unsigned nr = 1; nr <= RANGES; nr++) {
        for (unsigned i = 0; i < 4; i++) {
            check_ranges(&prng, nr);
        }
    }
    CHECK_EQ(warnings_take(), 0);
}
