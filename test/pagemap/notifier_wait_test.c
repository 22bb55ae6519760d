// SPDX-License-Identifier: BSD-2-Clause
/* A callback that blocks, is cancelled or forks: what waits for it, and what does not. */
#include <errno.h>
#include <pthread.h>

#include "test/pagemap/child.h"
#include "test/pagemap/notifier_rig.h"

/* ---- a callback that blocks ---- */

static uint64_t is_inside, may_leave;

static void block(struct recorder *recorder)
{
    (void)recorder;
    (void)__atomic_exchange_n(&is_inside, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&may_leave, __ATOMIC_SEQ_CST)) {
        (void)usleep(100);
    }
}

static void wait_inside(void)
{
    while (!__atomic_load_n(&is_inside, __ATOMIC_SEQ_CST)) {
        (void)usleep(100);
    }
}

static void let_leave(void)
{
    (void)__atomic_exchange_n(&may_leave, 1, __ATOMIC_SEQ_CST);
}

static void unmap_page(void *index)
{
    unmap_mapping_pages(&rig.file, (uintptr_t)index, 1, false);
}

static void begin_to_read(void *recorder)
{
    (void)mmu_interval_read_begin(&((struct recorder *)recorder)->subscription);
}

static void leave(void *recorder)
{
    recorder_leave(recorder);
}

/* Only a thread that reads or leaves that interval waits, and one that invalidates. */
TEST_CASE(notifier, a_callback_that_blocks_holds_up_its_own_alone)
{
    struct waiter invalidator, reader, leaver;
    struct recorder blocked;
    struct page *page;

    set_up();
    is_inside = may_leave = 0;
    recorder_watch(&blocked, false, at(4), PAGE_SIZE);
    blocked.then = block;
    waiter_start(&invalidator, unmap_page, (void *)4);
    wait_inside();
    waiter_start(&reader, begin_to_read, &by_address);
    waiter_start(&leaver, leave, &blocked);
    unmap_mapping_pages(&rig.file, 6, 1, false);
    check_absent(6);
    (void)mmu_interval_read_begin(&elsewhere.subscription);
    CHECK_EQ(pin_user_pages(at(4), 1, FOLL_WRITE, &page), 1, "it has not gone yet");
    unpin_user_page(page);
    CHECK(!waiter_is_done_after(&invalidator, 2000));
    CHECK(!waiter_is_done_after(&reader, 1000), "overlaps what is under way");
    CHECK(!waiter_is_done_after(&leaver, 1000), "its callback runs");
    let_leave();
    waiter_join(&invalidator);
    waiter_join(&reader);
    waiter_join(&leaver);
    check_absent(4);
    by_address.begun = by_address.ended = 0;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(blocked.begun, 1, "and none after it had left");
    CHECK_EQ(blocked.ended, 0);
    tear_down();
}

/* Cancelled in its callback, the thread ends the invalidation before it goes. */
static void reach_a_cancellation_point(struct recorder *recorder)
{
    (void)recorder;
    (void)__atomic_exchange_n(&is_inside, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&may_leave, __ATOMIC_SEQ_CST)) {
        (void)usleep(100);
    }
    pthread_testcancel();
}

static void *unmap_and_be_cancelled(void *index)
{
    unmap_page(index);
    pthread_testcancel();
    return NULL;
}

TEST_CASE(notifier, cancelled_in_a_callback)
{
    pthread_t thread;
    void *result;

    set_up();
    is_inside = may_leave = 0;
    by_address.then = reach_a_cancellation_point;
    REQUIRE_EQ(pthread_create(&thread, NULL, unmap_and_be_cancelled, (void *)4), 0);
    wait_inside();
    (void)pthread_cancel(thread);
    let_leave();
    (void)pthread_join(thread, &result);
    CHECK_EQ(result, PTHREAD_CANCELED);
    by_address.then = NULL;
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(4), PAGE_SIZE);
    (void)mmu_interval_read_begin(&by_address.subscription); /* does not wait */
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* ---- fork ---- */

/* A device of its own, and a view, larger than the gap that the parent's left. */
static void in_the_child(void)
{
    enum { MANY = 1000 };
    struct file_rig own = {.range = {RIG_GB, RIG_GB + 4 * RIG_MB - 1}};
    struct recorder mine;
    char *shown;

    own.memory = rig_plug(RIG_GB, 4 * RIG_MB);
    own.pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &own.range, 1);
    REQUIRE_EQ(rig_map(&own.pgmap), 0);
    REQUIRE_EQ(address_space_init(&own.file, "child", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&own.file, 0, PHYS_PFN(RIG_GB), 4), 0);
    shown = file_rig_view(&own, 0, MANY);
    by_address.begun = 0;
    recorder_watch(&mine, false, (uintptr_t)shown, MANY * PAGE_SIZE);
    (void)mmu_interval_read_begin(&by_address.subscription); /* waits for no thread of the parent's */
    CHECK_EQ(mmu_interval_notifier_remove(&elsewhere.subscription), 0);
    CHECK_EQ(vm_munmap(shown, MANY * PAGE_SIZE), 0);
    recorder_check(&mine, MMU_NOTIFY_UNMAP, (uintptr_t)shown, MANY * PAGE_SIZE);
    recorder_leave(&mine);
    CHECK_EQ(by_address.begun, 0, "a client of the parent's");
    CHECK_EQ(truncate_inode_pages(&own.file, 0), 0);
    CHECK_EQ(address_space_destroy(&own.file), 0);
    CHECK_EQ(memunmap_pages(&own.pgmap), 0);
}

static void fork_in_a_callback(struct recorder *recorder)
{
    (void)recorder;
    child_run(in_the_child);
}

TEST_CASE(notifier, a_child_has_none_of_them)
{
    set_up();
    recorder_leave(&by_address);
    recorder_watch(&by_address, false, 0, UINT64_MAX);
    by_address.then = fork_in_a_callback; /* in the child, an invalidation is under way that never ends */
    unmap_mapping_pages(&rig.file, 4, 1, false);
    by_address.then = NULL;
    recorder_check(&by_address, MMU_NOTIFY_CLEAR, at(4), PAGE_SIZE);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}
