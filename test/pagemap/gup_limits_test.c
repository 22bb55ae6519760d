// SPDX-License-Identifier: BSD-2-Clause
/* get_user_pages(): each argument at its limits, pages that cannot move, and a file that is changing all the while. */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <limits.h>

#include "pagemap/mapping/mapping.h"
#include "pagemap/page/marks.h"
#include "pagemap/statistics.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 8 };

static struct file_rig rig;
static char *view;

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics now;

    REQUIRE_EQ(pagemap_stats(&now, sizeof now), 0);
    return now;
}

static void set_up(enum memory_type type)
{
    file_rig_set_up(&rig, type);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static uintptr_t at(uint64_t index)
{
    return (uintptr_t)view + index * PAGE_SIZE;
}

/* ---- arguments ---- */

static void check_flag(unsigned flag)
{
    const bool may_both =
        flag == FOLL_WRITE || flag == FOLL_FORCE || flag == FOLL_HWPOISON || flag == FOLL_PCI_P2PDMA;
    const bool may_get = may_both || flag == FOLL_GET;
    const bool may_pin = may_both || flag == FOLL_LONGTERM || flag == FOLL_PIN;
    struct page *page;
    long got = get_user_pages(at(0), 1, flag, &page), pinned;

    CHECK_EQ(got, may_get ? 1 : -EINVAL, "%#x", flag);
    if (got == 1) {
        put_page(page);
    }
    pinned = pin_user_pages(at(0), 1, flag, &page);
    CHECK_EQ(pinned, may_pin ? 1 : -EINVAL, "%#x", flag);
    if (pinned == 1) {
        unpin_user_page(page);
    }
    CHECK_EQ(fixup_user_fault(at(0), flag), 0, "%#x", flag);
}

TEST_CASE(gup, each_flag)
{
    set_up(MEMORY_DEVICE_GENERIC);
    for (unsigned bit = 0; bit < 32; bit++) {
        check_flag(1U << bit);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES);
    tear_down();
}

TEST_CASE(gup, each_number_of_pages)
{
    uint64_t invalid, refused;
    struct page *pages[PAGES];

    set_up(MEMORY_DEVICE_GENERIC);
    CHECK_EQ(get_user_pages(at(1), LONG_MAX, 0, NULL), PAGES - 1);
    invalid = stats().refused_invalid;
    CHECK_EQ(get_user_pages(at(1), (unsigned long)LONG_MAX + 1, 0, NULL), -EINVAL);
    CHECK_EQ(get_user_pages_fast(at(1), -1, 0, NULL), -EINVAL);
    CHECK_EQ(pin_user_pages_fast(at(1), -1, 0, pages), -EINVAL);
    CHECK_EQ(stats().refused_invalid - invalid, 3);
    CHECK_EQ(get_user_pages_fast(at(1), INT_MAX, 0, NULL), PAGES - 1);
    CHECK_EQ(get_user_pages_fast_only(at(1), INT_MAX, 0, NULL), PAGES - 1);
    refused = stats().refused_absent;
    CHECK_EQ(get_user_pages(at(0), 0, 0, NULL), 0);
    CHECK_EQ(pin_user_pages(at(0), 0, 0, pages), 0);
    CHECK_EQ(get_user_pages_fast(at(0), 0, 0, NULL), 0);
    CHECK_EQ(pin_user_pages_fast(at(0), 0, 0, pages), 0);
    CHECK_EQ(get_user_pages_fast_only(at(0), 0, 0, NULL), 0);
    CHECK_EQ(pin_user_pages_fast_only(at(0), 0, 0, pages), 0);
    CHECK_EQ(get_user_pages_fast_only(at(0), -1, 0, pages), 0);
    CHECK_EQ(pin_user_pages_fast_only(at(0), -1, 0, pages), 0);
    CHECK_EQ(pin_user_pages_fast_only(at(0), 1, FOLL_GET, pages), 0);
    CHECK_EQ(pin_user_pages_fast_only(at(0), 1, 0, NULL), 0);
    CHECK_EQ(stats().refused_absent - refused, 0, "nothing was looked for");
    for (int n = 1; n <= PAGES; n++) {
        CHECK_EQ(pin_user_pages_fast_only(at(0), n, FOLL_WRITE, pages), n);
        CHECK_EQ(stats().pins_now, (uint64_t)n);
        unpin_user_pages(pages, (unsigned long)n);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES);
    tear_down();
}

/* One run of the table of what is present is taken in parts. */
TEST_CASE(gup, long_runs)
{
    static struct page *pages[1024];
    static const unsigned long numbers[] = {511, 512, 513, 1023, 1024};
    char *all;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    all = file_rig_view(&rig, 0, 1024);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        REQUIRE_EQ(pin_user_pages((uintptr_t)all, numbers[i], 0, pages), (long)numbers[i]);
        for (unsigned long k = 0; k < numbers[i]; k++) {
            REQUIRE_EQ(pages[k], pfn_to_page(k));
        }
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1024 + numbers[i]);
        unpin_user_pages(pages, numbers[i]);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1024);
    }
    CHECK_EQ(vm_munmap(all, 1024 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(gup, what_is_no_page_is_not_pinned)
{
    set_up(MEMORY_DEVICE_GENERIC);
    CHECK(!page_maybe_dma_pinned(pfn_to_page(4096)), "nobody's");
    CHECK(!page_maybe_dma_pinned(pfn_to_page(1000)), "never touched");
    tear_down();
}

/* ---- pages that cannot be pinned where they are ---- */

static unsigned asked;

/* It says so, and does nothing. */
static vm_fault_t pretend_to_move(struct vm_fault *vmf)
{
    asked++;
    CHECK_EQ(vmf->address, (uint64_t)at(0));
    CHECK_EQ(vmf->real_address, (uint64_t)at(0));
    CHECK_EQ(vmf->page, pfn_to_page(5));
    CHECK_EQ(page_count(vmf->page), 2, "held meanwhile");
    return 0;
}

static void set_up_allocated(enum memory_type type, const struct dev_pagemap_ops *ops)
{
    file_rig_set_up(&rig, type);
    rig.pgmap.ops = ops;
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(5)), 0);
    unlock_page(pfn_to_page(5));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 5, 1), 0);
    view = file_rig_view(&rig, 0, PAGES);
    asked = 0;
}

static void stays_where_it_is(enum memory_type type, unsigned flags, long error)
{
    const struct dev_pagemap_ops ops = {.page_free = rig_page_free, .migrate_to_ram = pretend_to_move};
    struct pagemap_statistics before, after;
    struct page *page;

    set_up_allocated(type, &ops);
    before = stats();
    CHECK_EQ(pin_user_pages(at(0), 1, flags, &page), error);
    after = stats();
    CHECK_EQ(asked, 3u, "and no more");
    CHECK_EQ(after.gup_migrations - before.gup_migrations, 3);
    CHECK_EQ(after.refused_migration - before.refused_migration, 1);
    CHECK_EQ(pin_user_pages_fast_only(at(0), 1, flags, &page), 0);
    CHECK_EQ(asked, 3u, "who must not wait does not ask");
    CHECK_EQ(stats().refused_would_wait - before.refused_would_wait, 1);
    CHECK_EQ(stats().refused_migration - before.refused_migration, 1);
    CHECK_EQ(stats().pins, before.pins);
    CHECK_EQ(page_count(pfn_to_page(5)), 1);
    tear_down();
}

TEST_CASE(gup, drivers_that_only_say_that_they_moved_a_page)
{
    stays_where_it_is(MEMORY_DEVICE_PRIVATE, 0, -EFAULT);
    stays_where_it_is(MEMORY_DEVICE_COHERENT, FOLL_LONGTERM, -EBUSY);
}

/* The fourth page cannot move: for long all are pinned, or none; else up to any. */
TEST_CASE(gup, all_or_none_for_long)
{
    static const struct dev_pagemap_ops ops = {.page_free = rig_page_free};
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap coherent = rig_pgmap(MEMORY_DEVICE_COHERENT, &range, 1);
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    struct pagemap_statistics before;
    struct page *pages[PAGES];

    coherent.ops = &ops;
    set_up(MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(rig_map(&coherent), 0);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
    REQUIRE_EQ(filemap_replace_page(&rig.file, 3, pfn_to_page(3), pfn_to_page(pfn)), 0);
    before = stats();
    CHECK_EQ(pin_user_pages(at(0), 5, FOLL_LONGTERM, pages), -EBUSY);
    CHECK_EQ(pin_user_pages(at(3), 1, FOLL_LONGTERM, pages), -EBUSY);
    CHECK_EQ(stats().refused_longterm - before.refused_longterm, 2);
    CHECK_EQ(stats().pins_now, before.pins_now);
    CHECK_EQ(page_count(pfn_to_page(0)), 1);
    CHECK_EQ(page_count(pfn_to_page(2)), 1);
    CHECK_EQ(pin_user_pages(at(0), 3, FOLL_LONGTERM, pages), 3);
    unpin_user_pages(pages, 3);
    CHECK_EQ(pin_user_pages(at(0), 5, 0, pages), 5);
    CHECK_EQ(pages[3], pfn_to_page(pfn));
    unpin_user_pages(pages, 5);
    CHECK_EQ(stats().pins_now, before.pins_now);
    CHECK_EQ(filemap_replace_page(&rig.file, 3, pfn_to_page(pfn), pfn_to_page(3)), 0);
    CHECK_EQ(memunmap_pages(&coherent), 0);
    rig_unplug(memory);
    tear_down();
}

/* A page that its driver has put, though it is in a file: neither waited for, nor looked for without an end. */
TEST_CASE(gup, put_while_it_is_in_a_file)
{
    const struct dev_pagemap_ops ops = {.page_free = rig_page_free, .migrate_to_ram = pretend_to_move};
    struct pagemap_statistics before, after;
    struct page *page;

    set_up_allocated(MEMORY_DEVICE_PRIVATE, &ops);
    put_page(pfn_to_page(5));
    before = stats();
    CHECK_EQ(get_user_pages(at(0), 1, 0, &page), -EFAULT);
    after = stats();
    CHECK_EQ(after.refused_absent - before.refused_absent, 1);
    CHECK_EQ(after.gup_locked - before.gup_locked, 1);
    CHECK_EQ(after.gup_retries - before.gup_retries, 3);
    CHECK_EQ(get_user_pages_fast_only(at(0), 1, 0, &page), 0);
    CHECK_EQ(stats().refused_would_wait - before.refused_would_wait, 1);
    CHECK_EQ(asked, 0u);
    CHECK_EQ(page_count(pfn_to_page(5)), 0);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(5)), 0);
    tear_down();
}

/* Poisoned just now, by a thread that has not taken it out of the views yet. */
TEST_CASE(gup, poisoned_while_it_is_in_a_view)
{
    struct pagemap_statistics before, after;
    struct page *page = pfn_to_page(1), *found_page;

    set_up(MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(get_user_pages(at(1), 1, 0, &found_page), 1);
    put_page(found_page); /* what nobody has touched is not looked into */
    before = stats();
    REQUIRE(pm_poison_mark(page, true));
    CHECK_EQ(get_user_pages(at(1), 1, FOLL_HWPOISON, &found_page), -EHWPOISON);
    CHECK_EQ(pin_user_pages(at(1), 1, FOLL_WRITE, &found_page), -EFAULT);
    REQUIRE(pm_poison_mark(page, false));
    after = stats();
    CHECK_EQ(after.refused_poisoned - before.refused_poisoned, 2);
    CHECK_EQ(after.refused_absent, before.refused_absent);
    CHECK_EQ(page_count(page), 1);
    CHECK_EQ(get_user_pages(at(1), 1, 0, &found_page), 1);
    put_page(found_page);
    tear_down();
}

/* ---- while the file changes ---- */

static struct page *found[2];

static void pin_two(void *result)
{
    *(long *)result = pin_user_pages(at(2), 2, FOLL_WRITE, found);
}

TEST_CASE(gup, a_file_that_is_changing)
{
    struct pagemap_statistics before, after;
    struct waiter waiter;
    struct page *page;
    long result = 0;

    set_up(MEMORY_DEVICE_GENERIC);
    pm_mapping_lock(&rig.file);
    pm_mapping_change_begin(&rig.file);
    before = stats();
    CHECK_EQ(get_user_pages_fast_only(at(0), 1, 0, &page), 0);
    CHECK_EQ(page_count(pfn_to_page(0)), 1);
    after = stats();
    CHECK_EQ(after.refused_would_wait - before.refused_would_wait, 1);
    CHECK_EQ(after.gup_retries - before.gup_retries, 3);
    CHECK_EQ(after.gup_locked, before.gup_locked);
    waiter_start(&waiter, pin_two, &result);
    CHECK(!waiter_is_done_after(&waiter, 2000), "waits for the file");
    CHECK_EQ(page_count(pfn_to_page(2)), 1);
    pm_mapping_change_end(&rig.file);
    pm_mapping_unlock(&rig.file);
    waiter_join(&waiter);
    CHECK_EQ(result, 2);
    CHECK_EQ(found[1], pfn_to_page(3));
    CHECK_EQ(page_count(pfn_to_page(2)), 1 + GUP_PIN_COUNTING_BIAS);
    after = stats();
    CHECK_EQ(after.gup_retries - before.gup_retries, 6);
    CHECK_EQ(after.gup_locked - before.gup_locked, 1);
    CHECK_EQ(after.pins - before.pins, 2);
    unpin_user_pages(found, 2);
    tear_down();
}
