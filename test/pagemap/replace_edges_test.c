// SPDX-License-Identifier: BSD-2-Clause
/* A page in place of another: of which kinds, what can be pinned then, and what changes while clients are told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/backend/backend.h"
#include "pagemap/view/view.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 4 };

static struct file_rig rig;

/* Pages of other kinds, from 1 GiB on. */
static struct range range;
static struct pagemap_memory *memory;
static struct dev_pagemap device;
static uint64_t first;

static void set_up(enum memory_type type, unsigned shift)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    range = rig_range(RIG_GB, 2 * RIG_MB);
    memory = type == MEMORY_DEVICE_PRIVATE ? NULL : rig_plug(RIG_GB, 2 * RIG_MB);
    device = rig_pgmap(type, &range, 1);
    device.vmemmap_shift = shift;
    REQUIRE_EQ(rig_map(&device), 0);
    first = PHYS_PFN(RIG_GB);
}

static void tear_down(void)
{
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(pgmap_nr_references(&device), 0u);
    CHECK_EQ(memunmap_pages(&device), 0);
    if (memory != NULL) {
        rig_unplug(memory);
    }
    file_rig_tear_down(&rig);
}

static int replace(uint64_t index, uint64_t old, uint64_t pfn)
{
    return filemap_replace_page(&rig.file, index, pfn_to_page(old), pfn_to_page(pfn));
}

static long pin(const char *address, unsigned flags)
{
    struct page *page;
    long got = pin_user_pages((uintptr_t)address, 1, flags, &page);

    if (got == 1) {
        unpin_user_page(page);
    }
    return got;
}

/* Old ones that are compound cannot be replaced one by one, from two pages on. */
TEST_CASE(replace_edges, old_compound_pages)
{
    for (unsigned shift = 0; shift <= 2; shift++) {
        set_up(MEMORY_DEVICE_GENERIC, shift);
        REQUIRE_EQ(filemap_add_pages(&rig.file, 8, first, 4), 0);
        for (uint64_t i = 0; i < 4; i++) {
            CHECK_EQ(replace(8 + i, first + i, 100 + i), shift > 0 ? -EINVAL : 0, "order %u", shift);
        }
        CHECK_EQ(pgmap_nr_references(&device), shift > 0 ? 4u : 0u);
        tear_down();
    }
}

/* Nor those of files with larger pages, from two on. */
TEST_CASE(replace_edges, files_of_larger_pages)
{
    for (uint64_t granule = 1; granule <= 4; granule *= 2) {
        set_up(MEMORY_DEVICE_GENERIC, 0);
        CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        memory->granule = granule * PAGE_SIZE;
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, first, 4), 0);
        CHECK_EQ(replace(0, first, 100), granule > 1 ? -EINVAL : 0, "of %u", (unsigned)granule);
        memory->granule = PAGE_SIZE;
        tear_down();
    }
}

/* A page of a file of FS_DAX can be pinned, but not for long (bug 26): also one that came later. */
TEST_CASE(replace_edges, pins_for_long)
{
    static const enum memory_type types[] = {MEMORY_DEVICE_GENERIC, MEMORY_DEVICE_FS_DAX};

    for (unsigned i = 0; i < 2; i++) {
        char *view;

        set_up(types[i], 0);
        view = file_rig_view(&rig, 0, PAGES);
        CHECK_EQ(pin(view + PAGE_SIZE, FOLL_LONGTERM), 1);
        CHECK_EQ(replace(1, 1, first), 0);
        CHECK_EQ(pin(view + PAGE_SIZE, 0), 1);
        CHECK_EQ(pin(view + PAGE_SIZE, FOLL_LONGTERM), i == 0 ? 1 : -EOPNOTSUPP);
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
        tear_down();
    }
}

/* Of private memory there is nothing to pin, in any view; what was pinned before stays its holder's. */
TEST_CASE(replace_edges, private_pages_are_not_pinned)
{
    struct page *held;
    char *views[2];

    set_up(MEMORY_DEVICE_PRIVATE, 0);
    for (unsigned i = 0; i < 2; i++) {
        views[i] = file_rig_view(&rig, i, 2);
    }
    REQUIRE_EQ(get_user_pages((uintptr_t)views[1], 1, 0, &held), 1);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(first)), 0);
    unlock_page(pfn_to_page(first));
    CHECK_EQ(replace(1, 1, first), 0);
    put_page(held);
    for (unsigned i = 0; i < 2; i++) {
        char *there = views[i] + (1 - i) * PAGE_SIZE;

        CHECK_EQ(get_user_pages_fast_only((uintptr_t)there, 1, 0, &held), 0);
        CHECK_EQ(touch_read(there, NULL), SIGBUS);
        CHECK_EQ(touch_read(views[i] + i * PAGE_SIZE, NULL), 0, "its neighbour");
    }
    CHECK_EQ(replace(1, first, 50), 0);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(pin(views[i] + (1 - i) * PAGE_SIZE, 0), 1);
        CHECK_EQ(vm_munmap(views[i], 2 * PAGE_SIZE), 0);
    }
    tear_down();
}

/* Of one page: what its neighbours show, before it and behind it, is theirs. */
TEST_CASE(replace_edges, one_page_alone)
{
    unsigned char byte = 0;
    char *view;

    set_up(MEMORY_DEVICE_GENERIC, 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (unsigned char i = 0; i < PAGES; i++) {
        CHECK_EQ(touch_write(view + i * PAGE_SIZE, i), 0);
        *(unsigned char *)page_address(pfn_to_page(first + i)) = (unsigned char)(100 + i);
    }
    CHECK_EQ(replace(1, 1, first + 1), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(touch_read(view + i * PAGE_SIZE, &byte), 0);
        CHECK_EQ(byte, i == 1 ? 101 : i, "page %u", i);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* ---- what changes while clients are told ---- */

static void remove_old(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(filemap_remove_pages(&rig.file, PAGE_SIZE, 2 * PAGE_SIZE - 1), 0);
}

/* The old page goes: in the callback of the page's client, or of the first view's, or of the second's. */
TEST_CASE(replace_edges, the_old_page_goes_meanwhile)
{
    for (unsigned who = 0; who < 3; who++) {
        struct recorder recorder;
        char *views[2];

        set_up(MEMORY_DEVICE_GENERIC, 0);
        for (unsigned i = 0; i < 2; i++) {
            views[i] = file_rig_view(&rig, i, 2);
        }
        if (who == 0) {
            recorder_watch(&recorder, true, PAGE_SIZE, PAGE_SIZE);
        } else {
            recorder_watch(&recorder, false, (uintptr_t)views[who - 1] + (2 - who) * PAGE_SIZE, PAGE_SIZE);
        }
        recorder.then = remove_old;
        CHECK_EQ(replace(1, 1, first), -ESTALE, "told %u", who);
        CHECK_EQ(find_get_page(&rig.file, 1), NULL);
        CHECK_EQ(recorder.begun, recorder.ended);
        recorder_leave(&recorder);
        for (unsigned i = 0; i < 2; i++) {
            CHECK_EQ(touch_read(views[i] + (1 - i) * PAGE_SIZE, NULL), SIGBUS);
            CHECK_EQ(vm_munmap(views[i], 2 * PAGE_SIZE), 0);
        }
        tear_down();
    }
}

/* What was freed is written over: in a checked build it is found without that. */
static void scribble_over_freed_views(void)
{
    enum { BLOCKS = 64 };
    void *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(sizeof(struct pm_view));
        REQUIRE(blocks[i] != NULL);
        memset(blocks[i], 0xff, sizeof(struct pm_view));
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
}

static char *shown;

static void unmap_and_free_the_view(struct recorder *recorder)
{
    recorder->then = NULL;
    CHECK_EQ(vm_munmap(shown, 2 * PAGE_SIZE), 0);
    pagemap_barrier();
    scribble_over_freed_views();
}

/* The view that is told of is unmapped meanwhile, and freed. */
TEST_CASE(replace_edges, a_view_goes_meanwhile)
{
    struct recorder recorder;
    char *other;

    set_up(MEMORY_DEVICE_GENERIC, 0);
    shown = file_rig_view(&rig, 0, 2);
    other = file_rig_view(&rig, 1, 2);
    recorder_watch(&recorder, false, (uintptr_t)shown + PAGE_SIZE, PAGE_SIZE);
    recorder.then = unmap_and_free_the_view;
    CHECK_EQ(replace(1, 1, first), 0);
    CHECK_EQ(recorder.begun, recorder.ended);
    recorder_leave(&recorder);
    CHECK_EQ(touch_read(other, NULL), 0);
    CHECK_EQ(vm_munmap(other, 2 * PAGE_SIZE), 0);
    tear_down();
}
