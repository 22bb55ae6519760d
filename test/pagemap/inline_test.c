// SPDX-License-Identifier: BSD-2-Clause
/* The functions that headers have whole, which callers compile: each by a table. */
#include <errno.h>
#include <string.h>

#include "pagemap/device.h"
#include "pagemap/mmu_notifier.h"
#include "test/pagemap/rig.h"

TEST_CASE(inlines, pointers_and_errors)
{
    const struct {
        long value;
        bool is_error;
    } cases[] = {{-1, true},     {-EINVAL, true}, {-4094, true},      {-4095, true},
                 {-4096, false}, {-4097, false},  {0, false},         {1, false},
                 {4095, false},  {4096, false},   {INT64_MAX, false}, {INT64_MIN, false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ(IS_ERR(ERR_PTR(cases[i].value)), cases[i].is_error, "%ld", cases[i].value);
        CHECK_EQ(PTR_ERR(ERR_PTR(cases[i].value)), cases[i].value);
    }
}

TEST_CASE(inlines, lengths)
{
    const uint64_t bounds[][3] = {{0, 0, 1},          {7, 7, 1},          {7, 9, 3},
                                  {4096, 8191, 4096}, {0, UINT64_MAX, 0}, {1, UINT64_MAX, UINT64_MAX},
                                  {5, 4, 0}};

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const struct range range = {bounds[i][0], bounds[i][1]};
        const struct resource resource = {.start = bounds[i][0], .end = bounds[i][1]};

        CHECK_EQ(range_len(&range), bounds[i][2], "case %zu", i);
        CHECK_EQ(resource_size(&resource), bounds[i][2], "case %zu", i);
    }
}

static int fail(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages, (void)flags;
    return 0;
}

TEST_CASE(inlines, what_a_dev_pagemap_has)
{
    const struct dev_pagemap_ops with = {.memory_failure = fail}, without = {.page_free = rig_page_free};
    struct dev_pagemap pgmap = {.ops = NULL};

    CHECK(!pgmap_has_memory_failure(&pgmap));
    pgmap.ops = &without;
    CHECK(!pgmap_has_memory_failure(&pgmap));
    pgmap.ops = &with;
    CHECK(pgmap_has_memory_failure(&pgmap));
    for (unsigned flags = 0; flags < 8; flags++) {
        pgmap.flags = flags;
        CHECK_EQ(pgmap_altmap(&pgmap), (flags & PGMAP_ALTMAP_VALID) != 0 ? &pgmap.altmap : NULL, "%u", flags);
    }
    for (unsigned shift = 0; shift < 18; shift++) {
        pgmap.vmemmap_shift = shift;
        CHECK_EQ(pgmap_vmemmap_nr(&pgmap), UINT64_C(1) << shift);
    }
}

TEST_CASE(inlines, pages_by_their_numbers)
{
    static const uint64_t pfns[] = {0, 1, 2, 511, 512, 1 << 20, PHYSMEM_END >> PAGE_SHIFT};

    for (size_t i = 0; i < sizeof pfns / sizeof *pfns; i++) {
        CHECK_EQ(page_to_pfn(pfn_to_page(pfns[i])), pfns[i]);
        CHECK_EQ((uintptr_t)pfn_to_page(pfns[i]) - (uintptr_t)pfn_to_page(0), pfns[i] * sizeof(struct page));
    }
}

/* Neither is looked into here. */
static char some_vma, some_mm, some_owner;

TEST_CASE(inlines, ranges_of_notifiers)
{
    struct vm_area_struct *vma = (struct vm_area_struct *)(void *)&some_vma;
    struct mm_struct *mm = (struct mm_struct *)(void *)&some_mm;
    struct mmu_notifier_range range;

    memset(&range, 0xff, sizeof range);
    mmu_notifier_range_init_owner(&range, MMU_NOTIFY_MIGRATE, 0, vma, mm, 4096, 12288, &some_owner);
    CHECK_EQ(range.event, MMU_NOTIFY_MIGRATE);
    CHECK_EQ(range.vma, vma);
    CHECK_EQ(range.mm, mm);
    CHECK_EQ(range.start, 4096);
    CHECK_EQ(range.end, 12288);
    CHECK_EQ(range.owner, &some_owner);
    CHECK(mmu_notifier_range_blockable(&range));
    memset(&range, 0xff, sizeof range);
    mmu_notifier_range_init(&range, MMU_NOTIFY_RELEASE, 0, vma, mm, 8192, 16384);
    CHECK_EQ(range.event, MMU_NOTIFY_RELEASE);
    CHECK_EQ(range.vma, vma);
    CHECK_EQ(range.mm, mm);
    CHECK_EQ(range.start, 8192);
    CHECK_EQ(range.end, 16384);
    CHECK_EQ(range.owner, NULL);
    CHECK_EQ(range.flags, MMU_NOTIFIER_RANGE_BLOCKABLE);
    range.flags = 0;
    CHECK(!mmu_notifier_range_blockable(&range));
    range.flags = ~(unsigned)MMU_NOTIFIER_RANGE_BLOCKABLE;
    CHECK(!mmu_notifier_range_blockable(&range));
}

TEST_CASE(inlines, numbers_of_intervals)
{
    struct mmu_interval_notifier subscription = {.invalidate_seq = 0};

    for (unsigned long seq = 0; seq < 4; seq++) {
        mmu_interval_set_seq(&subscription, seq);
        CHECK_EQ(subscription.invalidate_seq, seq);
        for (unsigned long other = 0; other < 4; other++) {
            CHECK_EQ(mmu_interval_read_retry(&subscription, other), other != seq);
            CHECK_EQ(mmu_interval_check_retry(&subscription, other), other != seq);
        }
    }
}
