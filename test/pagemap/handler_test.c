// SPDX-License-Identifier: BSD-2-Clause
/*
 * A signal handler comes between two instructions of a get or a put, at places spread over all of it, and gets, puts or
 * poisons the same page: nothing waits for the thread that it interrupted, and no poisoned page is granted.
 */
#define _GNU_SOURCE /* REG_EFL */
#include <errno.h>
#include <string.h>

#include "test/pagemap/file_rig.h"
#include "test/shim/step.h"

enum { STEPS = 10000, WAITED = 64 };

static struct file_rig rig;
static struct page *page;
static char *view;

static void set_up(const struct dev_pagemap_ops *ops)
{
    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    memset(&step, 0, sizeof step);
    step.in_handler = true;
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.ops = ops;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    view = file_rig_view(&rig, 0, 8);
}

static void tear_down(void)
{
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void step_all(void)
{
    CHECK_GE(step_through((uint64_t)STEPS * test_scale()), 20u);
}

/* ---- gets and puts ---- */

static void get_and_put(void)
{
    put_page(pagemap_get_page(0));
}

static void check_idle(void)
{
    REQUIRE_EQ(page_count(pfn_to_page(0)), 0);
}

static void wait_for(void *pfn)
{
    wait_on_page_idle(pfn_to_page((uintptr_t)pfn));
}

/* With waiters enough that each put has some to wake. */
TEST_CASE(handler, gets_and_puts_in_a_put_that_wakes)
{
    struct waiter waiter[WAITED];

    set_up(&rig_ops);
    for (uintptr_t i = 0; i < WAITED; i++) {
        REQUIRE_NE(pagemap_get_page(100 + i), NULL);
        waiter_start(&waiter[i], wait_for, (void *)(100 + i));
    }
    CHECK(!waiter_is_done_after(&waiter[WAITED - 1], 20000));
    step.act = get_and_put;
    step.interfere = get_and_put;
    step.check = check_idle;
    step_all();
    for (uintptr_t i = 0; i < WAITED; i++) {
        put_page(pfn_to_page(100 + i));
        waiter_join(&waiter[i]);
    }
    tear_down();
}

static void put_and_look(void)
{
    errno = 77;
    put_page(pagemap_get_page(1));
    CHECK_EQ(errno, 77, "that of whom the handler interrupted");
}

TEST_CASE(handler, errno_is_kept)
{
    struct waiter waiter;

    set_up(&rig_ops);
    REQUIRE_NE(pagemap_get_page(1), NULL);
    waiter_start(&waiter, wait_for, (void *)(uintptr_t)1);
    CHECK(!waiter_is_done_after(&waiter, 20000));
    put_and_look();
    put_page(pfn_to_page(1));
    waiter_join(&waiter);
    tear_down();
}

/* ---- memory_failure(), whole, between two instructions ---- */

static uint64_t seen_count;
static int failure;
static unsigned granted, refused;

static int note_count(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)nr_pages, (void)flags;
    seen_count = page_count(pfn_to_page(pfn));
    return 0;
}

static const struct dev_pagemap_ops poison_ops = {rig_page_free, rig_migrate_to_ram, note_count, NULL};

static void fail(void)
{
    failure = memory_failure(0, 0);
}

/* If the driver saw the page idle, nobody has it; and whoever has it, the driver saw. */
static void check_grant(void)
{
    if (page != NULL) {
        CHECK(!step_was_asked() || seen_count > 0, "granted at instruction %lu, and not seen",
              (unsigned long)step.at);
        granted += step_was_asked();
    } else {
        refused++;
    }
    CHECK(!step_was_asked() || failure == 0);
}

static void put_granted(void)
{
    check_grant();
    if (page != NULL) {
        put_page(page);
    }
    REQUIRE_EQ(page_count(pfn_to_page(0)), 0);
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), mapping_nr_pages(&rig.file));
}

static void unpin_granted(void)
{
    check_grant();
    if (page != NULL) {
        unpin_user_page(page);
    }
    REQUIRE_EQ(page_count(pfn_to_page(0)), 0);
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), mapping_nr_pages(&rig.file));
}

static void heal(void)
{
    CHECK_EQ(unpoison_memory(0), 0);
    (void)map_mapping_range(&rig.file, 0, 0);
}

static void step_poisoned(void (*act)(void), void (*check)(void))
{
    granted = refused = 0;
    step.act = act;
    step.interfere = fail;
    step.check = check;
    step.restore = heal;
    step_all();
    CHECK_GT(granted, 0u, "some came before");
    CHECK_GT(refused, 0u, "some came after");
}

static void get(void)
{
    page = pagemap_get_page(0);
}

static void allocate(void)
{
    page = zone_device_page_init(pfn_to_page(0)) == 0 ? pfn_to_page(0) : NULL;
}

static void put_allocated(void)
{
    if (page != NULL) {
        unlock_page(page);
    }
    put_granted();
}

/* The page is in no file: else the failure takes the file's lock, which no handler may. */
TEST_CASE(handler, no_poisoned_page_is_got)
{
    set_up(&poison_ops);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    step_poisoned(get, put_granted);
    step_poisoned(allocate, put_allocated);
    tear_down();
}

static void find(void)
{
    page = find_get_page(&rig.file, 0);
}

static void pin(void)
{
    if (pin_user_pages_fast_only((uintptr_t)view, 1, 0, &page) != 1) {
        page = NULL;
    }
}

/* In a file, by another thread. */
TEST_CASE(handler, no_poisoned_page_is_found_or_pinned)
{
    set_up(&poison_ops);
    step.in_handler = false;
    step_poisoned(find, put_granted);
    step_poisoned(pin, unpin_granted);
    tear_down();
}

/* A compound page's tail, poisoned by itself. */
TEST_CASE(handler, no_poisoned_tail_is_got)
{
    set_up(&poison_ops);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    file_rig_use_compound_pages(&rig);
    step_poisoned(get, put_granted);
    tear_down();
}

/* ---- cancellation ---- */

static uint64_t came_back;

static void *cancelled_waiter(void *pfn)
{
    wait_on_page_idle(pfn_to_page((uintptr_t)pfn));
    (void)__atomic_exchange_n(&came_back, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        (void)pause();
    }
    return NULL;
}

/*
 * Waits are no cancellation points, as the kernel's are not interruptible: the waiter goes when it is done, and
 * others wake.
 */
TEST_CASE(handler, a_waiter_that_is_cancelled_wedges_nobody)
{
    struct waiter waiter[WAITED];
    pthread_t thread;
    void *how;

    set_up(&rig_ops);
    came_back = 0;
    for (uintptr_t i = 0; i < WAITED; i++) {
        REQUIRE_NE(pagemap_get_page(100 + i), NULL);
        waiter_start(&waiter[i], wait_for, (void *)(100 + i));
    }
    REQUIRE_NE(pagemap_get_page(1), NULL);
    REQUIRE_EQ(pthread_create(&thread, NULL, cancelled_waiter, (void *)(uintptr_t)1), 0);
    CHECK(!waiter_is_done_after(&waiter[WAITED - 1], 20000));
    REQUIRE_EQ(pthread_cancel(thread), 0);
    (void)usleep(20000);
    CHECK_EQ(__atomic_load_n(&came_back, __ATOMIC_SEQ_CST), 0);
    for (uintptr_t i = 0; i < WAITED; i++) {
        put_page(pfn_to_page(100 + i));
        waiter_join(&waiter[i]);
    }
    put_page(pfn_to_page(1));
    REQUIRE_EQ(pthread_join(thread, &how), 0);
    CHECK_EQ(how, PTHREAD_CANCELED);
    CHECK_EQ(came_back, 1);
    tear_down();
}

static void *cancelled_in_teardown(void *pgmap)
{
    (void)pthread_cancel(pthread_self()); /* takes effect at the next cancellation point */
    return memunmap_pages(pgmap) == 0 ? NULL : pgmap;
}

/* Grace periods sleep; the teardown is done all the same, or another could never follow. */
TEST_CASE(handler, a_teardown_that_is_cancelled_is_whole)
{
    pthread_t thread;

    set_up(&rig_ops);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    for (unsigned i = 0; i < 10; i++) {
        REQUIRE_EQ(pthread_create(&thread, NULL, cancelled_in_teardown, &rig.pgmap), 0);
        REQUIRE_EQ(pthread_join(thread, NULL), 0);
        REQUIRE_EQ(rig_map(&rig.pgmap), 0, "it is gone, round %u", i);
    }
    view = file_rig_view(&rig, 0, 8);
    tear_down();
}
