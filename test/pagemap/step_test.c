// SPDX-License-Identifier: BSD-2-Clause
/*
 * Someone revokes, replaces, truncates or tears down between two instructions of a lookup: at some hundred places,
 * spread over all of it (at all of them with --long). More than 400 lines: all share the file, its view, and who
 * interferes.
 */
#define _GNU_SOURCE /* REG_EFL */
#include <errno.h>
#include <string.h>

#include "test/pagemap/file_rig.h"
#include "test/shim/step.h"

enum { STEPS = 50000, PAGES = 8 };

static struct file_rig rig;
static char *view;
static struct page *page;
static long result;
static unsigned granted, refused;

/* Ends with a skip where instructions can't be stepped through. */
static void set_up(void)
{
    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    memset(&step, 0, sizeof step);
    granted = refused = 0;
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
}

static void step_through_all(void)
{
    unsigned places = step_through((uint64_t)STEPS * test_scale());

    CHECK_GE(places, 20u);
    CHECK_GT(granted, 0u, "some came before");
    CHECK_GT(refused, 5u, "some came after");
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void pin(void)
{
    result = pin_user_pages((uintptr_t)view, 1, FOLL_WRITE, &page);
}

/* ---- bug 23: a revoker that sees the page idle has it to itself ---- */

static bool seen_idle;

static void revoke_view(void)
{
    unmap_mapping_range(&rig.file, 0, 0, 1);
    seen_idle = page_count(pfn_to_page(0)) == 0;
}

static void check_pin(void)
{
    if (result == 1) {
        CHECK(!step_was_asked() || !seen_idle, "pinned at instruction %lu, and not seen",
              (unsigned long)step.at);
        granted += step_was_asked();
        unpin_user_page(page);
    } else {
        CHECK_EQ(result, -EFAULT);
        refused++;
    }
    CHECK_EQ(page_count(pfn_to_page(0)), 0);
}

static void map_again(void)
{
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
}

TEST_CASE(step, bug23_revoked_between_any_two_instructions_of_a_pin)
{
    set_up();
    step.act = pin;
    step.interfere = revoke_view;
    step.check = check_pin;
    step.restore = map_again;
    step_through_all();
    tear_down();
}

/* ---- the addresses of a view become another's, which may not be written ---- */

static struct address_space other;
static unsigned same_addresses;

static void replace(void)
{
    char *replacement;

    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    replacement = vm_mmap(&other, PAGES * PAGE_SIZE, PROT_READ, 0);
    CHECK(!IS_ERR(replacement));
    same_addresses += replacement == view;
    view = replacement;
}

static void check_replaced(void)
{
    if (result == 1) {
        CHECK_EQ(page, pfn_to_page(0), "not what may only be read; instruction %lu", (unsigned long)step.at);
        granted += step_was_asked();
        unpin_user_page(page);
    } else {
        CHECK_EQ(result, -EFAULT);
        refused++;
    }
}

static void replace_again(void)
{
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    view = file_rig_view(&rig, 0, PAGES);
}

TEST_CASE(step, a_view_replaced_between_any_two_instructions_of_a_pin)
{
    set_up();
    REQUIRE_EQ(address_space_init(&other, "other", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&other, 0, 64, PAGES), 0);
    same_addresses = 0;
    step.act = pin;
    step.interfere = replace;
    step.check = check_replaced;
    step.restore = replace_again;
    step_through_all();
    CHECK_GT(same_addresses, 5u, "the system gives the same addresses again, or this shows nothing");
    CHECK_EQ(truncate_inode_pages(&other, 0), 0);
    CHECK_EQ(address_space_destroy(&other), 0);
    tear_down();
}

/* ---- what waits for a page does so, or the page is not given out ---- */

/* Who waits for it has not come back, and its bytes are there. */
static void check_page(void)
{
    if (page != NULL) {
        CHECK(!step_is_done(), "a page was taken away at instruction %lu", (unsigned long)step.at);
        memset(page_address(page), 1, PAGE_SIZE);
        granted += step_was_asked();
        put_page(page);
    } else {
        refused++;
    }
}

static uint64_t generation;

static void find(void)
{
    generation = step_load(&rig.file._generation);
    page = find_get_page(&rig.file, 3);
}

static void truncate_all(void)
{
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
}

static bool is_truncating(void)
{
    return step_load(&rig.file._generation) != generation;
}

static void fill_again(void)
{
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

TEST_CASE(step, truncated_between_any_two_instructions_of_find_get_page)
{
    set_up();
    step.act = find;
    step.interfere = truncate_all;
    step.may_go_on = is_truncating;
    step.check = check_page;
    step.restore = fill_again;
    step_through_all();
    tear_down();
}

static void get(void)
{
    page = pagemap_get_page(200);
}

static void unmap(void)
{
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
}

static bool is_dying(void)
{
    return percpu_ref_is_dying(&rig.pgmap.ref);
}

static void map(void)
{
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
}

TEST_CASE(step, bug19_unmapped_between_any_two_instructions_of_a_get)
{
    set_up();
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    step.act = get;
    step.interfere = unmap;
    step.may_go_on = is_dying;
    step.check = check_page;
    step.restore = map;
    step_through_all();
    tear_down();
}

/* ---- struct pages go with their last reference ---- */

static unsigned looks;

/* Who tears it down has got as far as it can, as far as one can tell. */
static bool has_had_time(void)
{
    enum { LOOKS = 10 };

    (void)usleep(200);
    return is_dying() && ++looks >= LOOKS;
}

static void allocate_poisoned(void)
{
    looks = 0;
    result = zone_device_page_init(pfn_to_page(200));
}

static void check_refused(void)
{
    CHECK(result == -EHWPOISON || result == -ENODEV);
    granted += result == -EHWPOISON && step_was_asked();
    refused += result == -ENODEV;
}

static int take_note(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages, (void)flags;
    return 0;
}

static const struct dev_pagemap_ops failing = {rig_page_free, rig_migrate_to_ram, take_note, NULL};

static void map_and_mark(void)
{
    map();
    CHECK_EQ(memory_failure(200, 0), 0);
}

TEST_CASE(step, unmapped_between_any_two_instructions_of_a_refused_allocation)
{
    set_up();
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    rig.pgmap.ops = &failing;
    CHECK_EQ(memory_failure(200, 0), 0);
    step.act = allocate_poisoned;
    step.interfere = unmap;
    step.may_go_on = has_had_time;
    step.check = check_refused;
    step.restore = map_and_mark;
    step_through_all();
    tear_down();
}

static struct waiter unmapper;
static enum memory_type type;

static void unmap_and_wait(void *unused)
{
    (void)unused;
    unmap();
}

/* Pages of the file that no view shows, of a device that goes as soon as the file has let go of them. */
static void revoke_and_unmap(void)
{
    for (uint64_t i = 0; type == MEMORY_DEVICE_PRIVATE && i < PAGES; i++) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(i)), 0);
        unlock_page(pfn_to_page(i));
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    unmap_mapping_range(&rig.file, 0, 0, 1);
    waiter_start(&unmapper, unmap_and_wait, NULL);
    REQUIRE(!waiter_is_done_after(&unmapper, 1000), "the file has its pages");
}

static void map_and_begin_again(void)
{
    waiter_join(&unmapper);
    map();
    revoke_and_unmap();
}

static void pin_absent(void)
{
    looks = 0;
    result = pin_user_pages((uintptr_t)view, 1, 0, &page);
}

static void check_absent(void)
{
    CHECK_LT(result, 0);
    granted += step_was_asked();
    refused++;
}

static void truncated_under_a_pin(enum memory_type of)
{
    set_up();
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    type = of;
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.type = type;
    map();
    revoke_and_unmap();
    step.act = pin_absent;
    step.interfere = truncate_all;
    step.may_go_on = has_had_time;
    step.check = check_absent;
    step.restore = map_and_begin_again;
    step_through_all();
    truncate_all();
    waiter_join(&unmapper);
    map();
    tear_down();
}

TEST_CASE(step, unmapped_between_any_two_instructions_of_a_pin_of_what_is_absent)
{
    truncated_under_a_pin(MEMORY_DEVICE_FS_DAX);
    truncated_under_a_pin(MEMORY_DEVICE_PRIVATE);
}

/* ---- a page fails while it is got: it is refused, or held, and what was counted meanwhile is taken back ---- */

static void fail_page(void)
{
    CHECK_EQ(memory_failure(0, 0), 0);
}

static void mend_page(void)
{
    CHECK_EQ(unpoison_memory(0), 0);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
}

static void check_counts(bool got)
{
    granted += got && step_was_asked();
    refused += !got;
    CHECK_EQ(page_count(pfn_to_page(0)),
             got ? (step.act == pin && rig.pgmap.vmemmap_shift == 0 ? 1024 : 1) : 0);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES + (got ? 1 : 0), "instruction %lu",
             (unsigned long)step.at);
}

static void get_first(void)
{
    page = pagemap_get_page(0);
}

static void check_got(void)
{
    check_counts(page != NULL);
    if (page != NULL) {
        put_page(page);
    }
    CHECK_EQ(page_count(pfn_to_page(0)), 0);
}

static void allocate(void)
{
    page = zone_device_page_init(pfn_to_page(0)) == 0 ? pfn_to_page(0) : NULL;
}

static void check_allocated(void)
{
    if (page != NULL) {
        unlock_page(page);
    }
    check_got();
}

static void check_pinned(void)
{
    check_counts(result == 1);
    if (result == 1) {
        unpin_user_page(page);
    }
    CHECK_EQ(page_count(pfn_to_page(0)), 0);
    CHECK(!page_maybe_dma_pinned(pfn_to_page(0)));
}

static void fails_meanwhile(void (*act)(void), void (*check)(void), unsigned shift)
{
    set_up();
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    rig.pgmap.ops = &failing;
    if (shift > 0) {
        file_rig_use_compound_pages(&rig);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    step.act = act;
    step.interfere = fail_page;
    step.check = check;
    step.restore = mend_page;
    step_through_all();
    tear_down();
}

TEST_CASE(step, a_page_fails_between_any_two_instructions_of_a_get)
{
    fails_meanwhile(get_first, check_got, 0);
}

TEST_CASE(step, a_page_fails_between_any_two_instructions_of_a_pin)
{
    fails_meanwhile(pin, check_pinned, 0);
    fails_meanwhile(pin, check_pinned, 9);
}

TEST_CASE(step, a_page_fails_between_any_two_instructions_of_an_allocation)
{
    fails_meanwhile(allocate, check_allocated, 0);
}
