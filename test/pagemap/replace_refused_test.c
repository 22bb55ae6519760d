// SPDX-License-Identifier: BSD-2-Clause
/* filemap_replace_page(): each error, after which all is as it was, or as much of it is hidden as must be. */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 4 };

static struct file_rig rig;

static int replace(uint64_t index, uint64_t old, uint64_t pfn)
{
    return filemap_replace_page(&rig.file, index, pfn_to_page(old), pfn_to_page(pfn));
}

static uint64_t pfn_at(const char *address)
{
    struct page *page;

    REQUIRE_EQ(get_user_pages((uintptr_t)address, 1, 0, &page), 1);
    put_page(page);
    return page_to_pfn(page);
}

TEST_CASE(replace_refused, errors_leave_all_as_it_was)
{
    struct address_space other;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    REQUIRE_EQ(address_space_init(&other, "other", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&other, 0, 20, 1), 0);
    CHECK_EQ(replace(1, 1, 1), -EINVAL);
    CHECK_EQ(replace(UINT64_C(1) << 52, 1, 10), -EINVAL);
    CHECK_EQ(replace(1, 1, 5000), -ENXIO);
    CHECK_EQ(replace(1, 2, 10), -ESTALE);
    CHECK_EQ(replace(77, 1, 10), -ESTALE, "a hole");
    CHECK_EQ(replace(1, 1, 20), -EBUSY);
    CHECK_EQ(replace(1, 1, 2), -EBUSY);
    CHECK_EQ(filemap_add_pages(&other, 1, 21, 1), 0);
    CHECK_EQ(memory_failure(21, 0), 0);
    CHECK_EQ(truncate_inode_pages(&other, 0), 0);
    CHECK_EQ(replace(1, 1, 21), -EHWPOISON);
    CHECK_EQ(unpoison_memory(21), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 1, 30, 1), -EEXIST);
    CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), 0,
             "nor does an insertion that is refused hide what is there");
    CHECK_EQ(pfn_at(view + PAGE_SIZE), 1);
    CHECK_EQ(page_index(pfn_to_page(10)), UINT64_MAX);
    CHECK_EQ(address_space_destroy(&other), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Compound pages, of two on, cannot be mapped by themselves: neither the first of one, nor another. */
TEST_CASE(replace_refused, by_a_compound_page)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    for (unsigned shift = 0; shift <= 2; shift++) {
        struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

        device.vmemmap_shift = shift;
        REQUIRE_EQ(rig_map(&device), 0);
        CHECK_EQ(replace(0, 0, pfn), shift > 0 ? -EINVAL : 0, "order %u", shift);
        CHECK_EQ(replace(1, 1, pfn + 1), shift > 0 ? -EINVAL : 0, "order %u", shift);
        CHECK_EQ(page_index(pfn_to_page(0)), shift > 0 ? 0 : UINT64_MAX);
        CHECK(shift > 0 || (replace(0, pfn, 0) == 0 && replace(1, pfn + 1, 1) == 0), "and back");
        CHECK_EQ(pgmap_nr_references(&device), 0);
        CHECK_EQ(memunmap_pages(&device), 0);
    }
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}

/* ---- the new page cannot be shown in all views, nor the old one again in those that have the new one ---- */

enum { OLD = 5, NEW = 50, PLACE = 5, PLACES = 8, STEPS_MAX = 100 };

/* Of places 0.., 2.. and 4..; the first does not have the page, and is hidden once more before the others are. */
enum { VIEWS = 3 };

static char *views[VIEWS];
static struct recorder first_view;

/* Over all looks: views in which the page could be pinned, and those in which it could not. */
static unsigned pinned, refused;

static char *place_in(unsigned i)
{
    return views[i] + (PLACE - 2 * i) * PAGE_SIZE;
}

/* What can be pinned is what can be touched, at any moment. */
static void look(struct recorder *recorder)
{
    (void)recorder;
    (void)pm_fault_arm(0);
    for (unsigned i = 1; i < VIEWS; i++) {
        unsigned char byte = 0;
        struct page *page;
        long got = get_user_pages((uintptr_t)place_in(i), 1, 0, &page);

        if (got == 1) {
            pinned++;
            CHECK_EQ(page_to_pfn(page), OLD);
            put_page(page);
            CHECK_EQ(touch_read(place_in(i), &byte), 0);
            CHECK_EQ(byte, OLD, "in view %u", i);
        } else {
            refused++;
            CHECK_EQ(got, -EFAULT);
        }
    }
}

static void set_up_views(enum pagemap_revocation how)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, PLACE, OLD, 1), 0);
    *(unsigned char *)page_address(pfn_to_page(OLD)) = OLD;
    *(unsigned char *)page_address(pfn_to_page(NEW)) = NEW;
}

/* From this step on everything fails. Whether the page was replaced. */
static bool replace_failing_from(unsigned step)
{
    int error;

    views[0] = file_rig_view(&rig, 0, PLACES);
    unmap_mapping_pages(&rig.file, PLACE, 1, false);
    for (unsigned i = 1; i < VIEWS; i++) {
        views[i] = file_rig_view(&rig, 2 * i, PLACES);
    }
    recorder_watch(&first_view, false, (uintptr_t)place_in(0), PAGE_SIZE);
    first_view.then = look;
    pm_fault_arm_from(step);
    error = replace(PLACE, OLD, NEW);
    (void)pm_fault_arm(0);
    recorder_leave(&first_view);
    CHECK(error == 0 || error == -ENOMEM, "error %d", error);
    return error == 0;
}

/* The views can be made whole again, and end. */
static void check_and_unmap(uint64_t pfn)
{
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    for (unsigned i = 0; i < VIEWS; i++) {
        unsigned char byte = 0;

        CHECK_EQ(pfn_at(place_in(i)), pfn);
        CHECK_EQ(touch_read(place_in(i), &byte), 0);
        CHECK_EQ(byte, pfn);
        CHECK_EQ(vm_munmap(views[i], PLACES * PAGE_SIZE), 0);
    }
}

static void fail_from_each_step(enum pagemap_revocation how)
{
    unsigned step = 1;

    set_up_views(how);
    pinned = refused = 0;
    while (!replace_failing_from(step) && step < STEPS_MAX) {
        check_and_unmap(OLD);
        step++;
    }
    check_and_unmap(NEW);
    CHECK_GT(step, 5u);
    CHECK_GT(pinned, 0u);
    CHECK_GT(refused, 0u);
    (void)warnings_take(); /* of views that could be hidden by no means but one */
    file_rig_tear_down(&rig);
}

TEST_CASE(replace_refused, what_is_pinned_meanwhile_is_what_is_shown)
{
    fail_from_each_step(PAGEMAP_REVOKE_AUTO);
    fail_from_each_step(PAGEMAP_REVOKE_OVERLAY);
}

/* ---- nor is anything set aside twice ---- */

/* Steps of a replacement that can fail. The page has a client first, then the first view, then the second. */
static unsigned steps_with_clients(unsigned clients)
{
    struct recorder recorders[VIEWS];
    unsigned left;

    set_up_views(PAGEMAP_REVOKE_AUTO);
    for (unsigned i = 0; i < VIEWS; i++) {
        views[i] = file_rig_view(&rig, 2 * i, PLACES);
    }
    for (unsigned i = 0; i < clients; i++) {
        recorder_watch(&recorders[i], i == 0, i == 0 ? OLD * PAGE_SIZE : (uintptr_t)place_in(i - 1),
                       PAGE_SIZE);
    }
    (void)pm_fault_arm(STEPS_MAX);
    CHECK_EQ(replace(PLACE, OLD, NEW), 0);
    left = pm_fault_arm(0);
    for (unsigned i = 0; i < clients; i++) {
        CHECK_EQ(recorders[i].begun, 1);
        recorder_leave(&recorders[i]);
    }
    check_and_unmap(NEW);
    file_rig_tear_down(&rig);
    return STEPS_MAX - left;
}

/* The file is looked through anew after each client, but what has been told has its memory. */
TEST_CASE(replace_refused, clients_take_no_further_steps)
{
    const unsigned steps = steps_with_clients(0);

    CHECK_GT(steps, 0u);
    for (unsigned clients = 1; clients <= VIEWS; clients++) {
        CHECK_EQ(steps_with_clients(clients), steps, "%u clients", clients);
    }
}
