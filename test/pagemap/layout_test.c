// SPDX-License-Identifier: BSD-2-Clause
/* Who waits for pages of a file, while others truncate it, destroy it, and unmap the device. */
#include <sched.h>

#include "test/pagemap/file_rig.h"

static uint64_t is_slow;

/* Stands for a preemption: the waiter is kept away from the processor when the page it waits for goes. */
static void be_slow(int signal)
{
    (void)signal;
    (void)__atomic_exchange_n(&is_slow, 1, __ATOMIC_SEQ_CST);
    (void)usleep(100000);
}

static void break_layout(void *file)
{
    dax_break_layout(file, 0, UINT64_MAX);
}

static void wait_for_page(void *page)
{
    wait_on_page_idle(page);
}

static void truncate_and_unmap(void *context)
{
    struct file_rig *rig = context;

    CHECK_EQ(truncate_inode_pages(&rig->file, 0), 0);
    CHECK_EQ(address_space_destroy(&rig->file), 0);
    CHECK_EQ(memunmap_pages(&rig->pgmap), 0);
}

/* The waiter is waiting, is stopped, and everything that it looked at goes. */
static void check_outlived(void (*wait)(void *), unsigned delay)
{
    struct waiter waiter, other;
    struct file_rig rig;
    struct page *page;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    (void)pagemap_set_holders_delay(delay);
    (void)signal(SIGUSR1, be_slow);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    page = find_get_page(&rig.file, 5);
    waiter_start(&waiter, wait, wait == break_layout ? (void *)&rig.file : (void *)page);
    CHECK(!waiter_is_done_after(&waiter, 20000));
    waiter_start(&other, truncate_and_unmap, &rig);
    CHECK(!waiter_is_done_after(&other, 20000));
    (void)__atomic_exchange_n(&is_slow, 0, __ATOMIC_SEQ_CST);
    (void)pthread_kill(waiter.thread, SIGUSR1);
    while (__atomic_load_n(&is_slow, __ATOMIC_SEQ_CST) == 0) {
        (void)sched_yield();
    }
    put_page(page);
    waiter_join(&waiter);
    waiter_join(&other);
    CHECK_EQ(delay > 0 ? 0 : warnings_take(), 0);
    rig_unplug(rig.memory);
}

TEST_CASE(layout, broken_while_the_device_goes)
{
    check_outlived(break_layout, 0);
    check_outlived(break_layout, 10);
}

TEST_CASE(layout, waited_for_while_the_device_goes)
{
    check_outlived(wait_for_page, 0);
    check_outlived(wait_for_page, 10);
}
