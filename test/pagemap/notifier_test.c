// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which client is told of what, and when; what a callback may do. What may hold it up: notifier_wait_test.c. One set of
 * clients serves all, hence its length.
 */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/notifier_rig.h"

/* What is to go is still there when it is told of. */
static void must_be_present(struct recorder *recorder)
{
    struct page *page;

    CHECK_EQ(touch_read((void *)recorder->range[0].start, NULL), 0);
    CHECK_EQ(get_user_pages(recorder->range[0].start, 1, 0, &page), 1);
    put_page(page);
}

static void must_be_whole(struct recorder *recorder)
{
    CHECK(!PageHWPoison(pfn_to_page(PHYS_PFN(recorder->range[0].start))));
}

TEST_CASE(notifier, each_way_that_pages_go_is_told_of)
{
    set_up();
    by_address.then = must_be_present;
    unmap_mapping_range(&rig.file, 3 * PAGE_SIZE, 2 * PAGE_SIZE, 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(3), 2 * PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 0, 0);
    check_absent(3);
    unmap_mapping_pages(&rig.file, 15, 7, false);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(15), PAGE_SIZE);
    dax_break_layout(&rig.file, 8 * PAGE_SIZE, 9 * PAGE_SIZE - 1);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(8), PAGE_SIZE);
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 9 * PAGE_SIZE, 10 * PAGE_SIZE - 1), NULL);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(9), PAGE_SIZE);

    CHECK_EQ(truncate_inode_pages_range(&rig.file, 0, 2 * PAGE_SIZE - 1), 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(0), 2 * PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 100 * PAGE_SIZE, 2 * PAGE_SIZE);
    check_absent(0);
    CHECK_EQ(filemap_remove_pages(&rig.file, 2 * PAGE_SIZE, 3 * PAGE_SIZE - 1), 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(2), PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 102 * PAGE_SIZE, PAGE_SIZE);

    by_address.then = NULL; /* the mark is there, and nobody pins it */
    by_page.then = must_be_whole;
    CHECK_EQ(memory_failure(110, 0), 0);
    by_page.then = NULL;
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(10), PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 110 * PAGE_SIZE, PAGE_SIZE);
    check_absent(10);
    CHECK_EQ(unpoison_memory(110), 0);

    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    recorder_check(&by_address, MMU_NOTIFY_UNMAP, at(0), PAGES * PAGE_SIZE);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 0, 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, 0, 0);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 103 * PAGE_SIZE, 13 * PAGE_SIZE);
    tear_down();
}

/* ---- the file's lock ---- */

enum { OF_ADDRESSES = 1, OF_PAGES = 2 };

/* That those of `clients`, and they alone, were told, as often at the end as before, and nobody has the file locked. */
static void check_told(unsigned clients, bool of_addresses, bool of_pages)
{
    CHECK_EQ(by_address.begun > 0, of_addresses && (clients & OF_ADDRESSES) != 0);
    CHECK_EQ(by_page.begun > 0, of_pages && (clients & OF_PAGES) != 0);
    CHECK_EQ(by_address.ended, by_address.begun);
    CHECK_EQ(by_page.ended, by_page.begun);
    recorder_check_lock(&by_page);
    by_address.begun = by_address.ended = by_page.begun = by_page.ended = 0;
}

/* Each way that pages go, by itself or inside another invalidation. */
static void pages_go(unsigned clients)
{
    unmap_mapping_pages(&rig.file, 0, 1, false);
    check_told(clients, true, false);
    dax_break_layout(&rig.file, PAGE_SIZE, 2 * PAGE_SIZE - 1);
    check_told(clients, true, false);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 2 * PAGE_SIZE, 3 * PAGE_SIZE - 1), 0);
    check_told(clients, true, true);
    CHECK_EQ(filemap_remove_pages(&rig.file, 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1), 0);
    check_told(clients, true, true);
    CHECK_EQ(filemap_replace_page(&rig.file, 4, pfn_to_page(104), pfn_to_page(300)), 0);
    check_told(clients, true, true);
    CHECK_EQ(memory_failure(105, 0), 0);
    check_told(clients, true, true);
    CHECK_EQ(unpoison_memory(105), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    check_told(clients, true, false);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    check_told(clients, false, true);
}

/* Both clients, one of them, or none: then the lock need not be let go. */
TEST_CASE(notifier, the_file_is_not_locked_while_clients_are_told)
{
    for (unsigned clients = 0; clients <= (OF_ADDRESSES | OF_PAGES); clients++) {
        set_up();
        by_address.file = by_page.file = &rig.file;
        if ((clients & OF_ADDRESSES) == 0) {
            recorder_leave(&by_address);
        }
        if ((clients & OF_PAGES) == 0) {
            recorder_leave(&by_page);
        }
        pages_go(clients);
        if ((clients & OF_ADDRESSES) == 0) {
            recorder_watch(&by_address, false, 0, PAGE_SIZE); /* for tear_down() */
        }
        if ((clients & OF_PAGES) == 0) {
            recorder_watch(&by_page, true, 0, PAGE_SIZE);
        }
        tear_down();
    }
}

/* Of three runs each callback of the first one's client takes one out. */
static void remove_first(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(filemap_remove_pages(&rig.file, 0, PAGES * PAGE_SIZE - 1), 0);
}

static void remove_second(struct recorder *recorder)
{
    if (mapping_nr_pages(&rig.file) == 4) { /* not at the end of what remove_first() does */
        recorder->at_end = NULL;
        CHECK_EQ(filemap_remove_pages(&rig.file, 20 * PAGE_SIZE, 22 * PAGE_SIZE - 1), 0);
    }
}

TEST_CASE(notifier, what_goes_while_an_invalidation_begins_or_ends_is_not_taken_out_again)
{
    set_up();
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 20, 300, 2), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 30, 400, 2), 0);
    by_page.then = remove_first;
    by_page.at_end = remove_second;
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK(by_page.then == NULL && by_page.at_end == NULL);
    CHECK_EQ(mapping_nr_pages(&rig.file), 0);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    tear_down();
}

/* Dead already, and its references not yet waited for: here they are put. */
static struct dev_pagemap *held;

static void must_be_dead(struct recorder *recorder)
{
    (void)recorder;
    CHECK(rig_finds(100, NULL));
    put_dev_pagemap(held);
}

TEST_CASE(notifier, a_killed_device_is_told_of_once_and_can_be_waited_for)
{
    set_up();
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    by_page.begun = by_page.ended = 0;
    CHECK_EQ(mmu_interval_notifier_remove(&elsewhere.subscription), 0);
    recorder_watch(&elsewhere, true, 4 * RIG_MB, RIG_MB); /* behind the device */
    by_page.then = must_be_dead;
    held = get_dev_pagemap(100, NULL);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    recorder_check(&by_page, MMU_NOTIFY_RELEASE, 0, 4 * RIG_MB);
    by_page.then = NULL;
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    recorder_check(&by_page, MMU_NOTIFY_RELEASE, 0, 4 * RIG_MB);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    by_address.begun = by_address.ended = 0;
    tear_down();
}

/* Three of the same and three that overlap: each once. */
TEST_CASE(notifier, intervals_may_overlap_in_any_way)
{
    struct recorder others[6];

    set_up();
    for (unsigned i = 0; i < 6; i++) {
        recorder_watch(&others[i], false, at(i < 3 ? 0 : i), PAGES * PAGE_SIZE);
    }
    unmap_mapping_pages(&rig.file, 4, 1, false);
    for (unsigned i = 0; i < 6; i++) {
        recorder_check(&others[i], MMU_NOTIFY_CLEAR, at(4), i < 5 ? PAGE_SIZE : 0);
        recorder_leave(&others[i]);
    }
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(4), PAGE_SIZE);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    tear_down();
}

/* Two views of one file: each part is told of. */
TEST_CASE(notifier, each_view_is_told_of)
{
    struct recorder second;
    char *twin;

    set_up();
    twin = file_rig_view(&rig, 2, 4);
    recorder_watch(&second, false, (uintptr_t)twin, 4 * PAGE_SIZE);
    unmap_mapping_range(&rig.file, 0, 4 * PAGE_SIZE, 0);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(0), 4 * PAGE_SIZE);
    recorder_check(&second, MMU_NOTIFY_CLEAR, (uintptr_t)twin, 2 * PAGE_SIZE);
    CHECK_EQ(vm_munmap(twin, 4 * PAGE_SIZE), 0);
    recorder_check(&second, MMU_NOTIFY_UNMAP, (uintptr_t)twin, 4 * PAGE_SIZE);
    recorder_leave(&second);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* A view that is made while those of an old one are told, and that comes before it in the order of views. */
static char *made;

static void make_a_view(struct recorder *recorder)
{
    recorder->then = NULL;
    made = file_rig_view(&rig, 1, 4);
    CHECK_EQ(touch_read(made + 3 * PAGE_SIZE, NULL), 0);
}

TEST_CASE(notifier, what_is_shown_meanwhile_is_revoked_too)
{
    struct recorder second;
    char *twin;

    set_up();
    twin = file_rig_view(&rig, 2, 4);
    recorder_watch(&second, false, (uintptr_t)twin, 4 * PAGE_SIZE);
    second.then = make_a_view;
    unmap_mapping_pages(&rig.file, 4, 1, false);
    CHECK_EQ(touch_read(made + 3 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(touch_read(made + 2 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(touch_read(twin + 2 * PAGE_SIZE, NULL), SIGBUS);
    check_absent(4);
    recorder_leave(&second);
    CHECK_EQ(vm_munmap(made, 4 * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(twin, 4 * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* The view itself goes while it is told of. */
static void unmap_the_view(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
}

TEST_CASE(notifier, a_view_may_go_meanwhile)
{
    set_up();
    by_address.then = unmap_the_view;
    unmap_mapping_range(&rig.file, 0, PAGE_SIZE, 0);
    CHECK_EQ(by_address.begun, 2, "the part, and in it the whole");
    CHECK_EQ(by_address.range[1].event, MMU_NOTIFY_UNMAP);
    tear_down();
}

/* Where mappings ran out the whole view is hidden: then those of the whole are told before. */
TEST_CASE(notifier, what_is_hidden_with_it_is_told_of_before)
{
    struct recorder first;

    for (unsigned step = 1; step <= 3; step++) {
        file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
        REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, PAGES), 0);
        view = file_rig_view(&rig, 0, PAGES);
        recorder_watch(&first, false, at(0), PAGE_SIZE);
        first.then = must_be_present;
        (void)pm_fault_arm(step);
        unmap_mapping_pages(&rig.file, 5, 1, false);
        (void)pm_fault_arm(0);
        check_absent(5);
        if (touch_read(view, NULL) == 0) {
            CHECK_EQ(first.begun, 0);
        } else {
            CHECK_EQ(first.begun, 1, "step %u", step);
            CHECK_EQ(first.range[0].end, at(PAGES));
        }
        CHECK(step > 1 || first.begun > 0, "the first step is the overlay's");
        recorder_leave(&first);
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
        file_rig_tear_down(&rig);
    }
}

/* ---- the caller's own changes ---- */

TEST_CASE(notifier, within_a_bracket_nothing_is_told_again)
{
    struct mmu_notifier_range range;
    char owner;

    set_up();
    mmu_notifier_range_init_owner(&range, MMU_NOTIFY_MIGRATE, 0, NULL, NULL, at(2), at(5), &owner);
    mmu_notifier_invalidate_range_start(&range);
    CHECK_EQ(by_address.begun, 1);
    CHECK_EQ(by_address.ended, 0);
    unmap_mapping_pages(&rig.file, 2, 3, false);
    CHECK_EQ(by_address.begun, 1);
    CHECK_EQ(by_address.range[0].owner, (void *)&owner);
    unmap_mapping_pages(&rig.file, 2, 4, false);
    CHECK_EQ(by_address.begun, 2, "more than it said");
    by_address.begun = 1;
    by_address.ended = 0;
    mmu_notifier_invalidate_range_end(&range);
    recorder_check(&by_address, MMU_NOTIFY_MIGRATE, at(2), 3 * PAGE_SIZE);
    unmap_mapping_pages(&rig.file, 2, 3, false);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(2), 3 * PAGE_SIZE);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* ---- numbers ---- */

TEST_CASE(notifier, a_number_goes_stale_with_an_invalidation_of_its_interval_alone)
{
    unsigned long seq, other;

    set_up();
    seq = mmu_interval_read_begin(&by_address.subscription);
    other = mmu_interval_read_begin(&elsewhere.subscription);
    CHECK(!mmu_interval_read_retry(&by_address.subscription, seq));
    unmap_mapping_pages(&rig.file, 4, 1, false);
    CHECK(mmu_interval_read_retry(&by_address.subscription, seq));
    CHECK(mmu_interval_check_retry(&by_address.subscription, seq));
    CHECK(!mmu_interval_read_retry(&elsewhere.subscription, other));
    CHECK_NE(mmu_interval_read_begin(&by_address.subscription), seq);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

TEST_CASE(notifier, errors)
{
    static const struct mmu_interval_notifier_ops none = {NULL, NULL};
    struct mmu_interval_notifier subscription = {.ops = NULL};

    warnings_count();
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 0, 1, NULL), -EINVAL);
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 0, 1, &none), -EINVAL);
    CHECK_EQ(mmu_interval_notifier_insert(NULL, NULL, 0, 1, &recorder_ops), -EINVAL);
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 5, 0, &recorder_ops), -EOVERFLOW);
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 0, 0, &recorder_ops), -EOVERFLOW);
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 5, UINT64_MAX - 3, &recorder_ops), -EOVERFLOW);
    CHECK_EQ(pagemap_interval_notifier_insert(&subscription, 5, 0, &recorder_ops), -EOVERFLOW);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), -EINVAL);
    CHECK_EQ(mmu_interval_notifier_remove(NULL), -EINVAL);
    CHECK(mmu_interval_read_retry(&subscription, mmu_interval_read_begin(&subscription)));
    CHECK_EQ(warnings_take(), 3, "each says why");
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 5, UINT64_MAX - 4, &recorder_ops), 0);
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), 0);
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), -EINVAL, "twice");
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, 0, 1, &recorder_ops), 0, "a byte");
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), 0);
    CHECK_EQ(mmu_interval_notifier_insert(&subscription, NULL, UINT64_MAX, 1, &recorder_ops), 0);
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), 0);
}

static void break_the_rules(struct recorder *recorder)
{
    unsigned long seq;

    CHECK_EQ(mmu_interval_notifier_remove(&recorder->subscription), -EDEADLK);
    CHECK_EQ(warnings_take(), 1);
    seq = mmu_interval_read_begin(&recorder->subscription);
    CHECK(mmu_interval_read_retry(&recorder->subscription, seq), "and does not wait for itself");
    CHECK_EQ(warnings_take(), 1);
}

TEST_CASE(notifier, a_callback_that_would_wait_for_itself_is_refused)
{
    set_up();
    by_address.then = break_the_rules;
    unmap_mapping_pages(&rig.file, 4, 1, false);
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(4), PAGE_SIZE);
    by_address.then = NULL;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

static void break_the_rules_at_the_end(struct recorder *recorder)
{
    unsigned long seq;

    CHECK_EQ(mmu_interval_notifier_remove(&recorder->subscription), -EDEADLK);
    CHECK_EQ(warnings_take(), 1);
    seq = mmu_interval_read_begin(&recorder->subscription);
    CHECK(!mmu_interval_read_retry(&recorder->subscription, seq), "it is over");
    recorder->at_end = NULL;
    unmap_mapping_pages(&rig.file, 4, 1, false);
    CHECK_EQ(recorder->begun, 2, "and covers nothing any more");
}

TEST_CASE(notifier, an_end_that_would_wait_for_itself_is_refused)
{
    set_up();
    by_address.at_end = break_the_rules_at_the_end;
    unmap_mapping_pages(&rig.file, 4, 1, false);
    CHECK_EQ(by_address.ended, 2);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}
