// SPDX-License-Identifier: BSD-2-Clause
/* Threads and work of a driver: that they end when they are asked to, and run when they are due. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

#include "test/pagemap/kernel/rig.h"

static struct completion is_there;
static DECLARE_WAIT_QUEUE_HEAD(nobody_wakes_it);

static int until_stopped(void *unused)
{
    (void)unused;
    complete(&is_there);
    (void)wait_event_interruptible(nobody_wakes_it, kthread_should_stop());
    return 3;
}

TEST_CASE(work, threads_stop_where_they_wait)
{
    for (unsigned round = 0; round < 50; round++) {
        struct task_struct *thread;

        init_completion(&is_there);
        thread = kthread_run(until_stopped, NULL, "until_stopped");
        REQUIRE(!IS_ERR(thread));
        wait_for_completion(&is_there);
        CHECK_EQ(kthread_stop(thread), 3);
    }
}

static struct workqueue_struct *queue;
static unsigned ran, must_end;

static void again(struct work_struct *work)
{
    (void)__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&must_end, __ATOMIC_SEQ_CST) == 0) {
        (void)queue_work(queue, work);
    }
}

TEST_CASE(work, flushes_end_beside_work_that_queues_itself)
{
    struct work_struct work;

    queue = alloc_workqueue("again", 0, 0);
    REQUIRE_NE(queue, NULL);
    INIT_WORK(&work, again);
    CHECK(queue_work(queue, &work));
    for (unsigned round = 0; round < 50; round++) {
        flush_workqueue(queue);
        CHECK_GE(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), round + 1);
        (void)flush_work(&work);
    }
    (void)cancel_work_sync(&work);
    CHECK(!cancel_work_sync(&work));
    CHECK(queue_work(queue, &work));
    __atomic_store_n(&must_end, 1, __ATOMIC_SEQ_CST);
    destroy_workqueue(queue);
}

static struct delayed_work ticking;

static void tick(struct work_struct *work)
{
    (void)__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
    (void)queue_delayed_work(queue, to_delayed_work(work), msecs_to_jiffies(20));
}

/* Work that queues itself again for later leaves the processor to others until then. */
TEST_CASE(work, delayed_work_waits_for_its_time)
{
    const unsigned long hour = msecs_to_jiffies(3600000);
    unsigned long begun;

    ran = 0;
    queue = alloc_workqueue("ticking", 0, 0);
    REQUIRE_NE(queue, NULL);
    INIT_DELAYED_WORK(&ticking, tick);
    CHECK(queue_delayed_work(queue, &ticking, hour));
    CHECK(!queue_delayed_work(queue, &ticking, 0), "it waits");
    flush_workqueue(queue);
    CHECK_EQ(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), 0, "not for an hour");
    CHECK(cancel_delayed_work_sync(&ticking));
    CHECK(!mod_delayed_work(queue, &ticking, hour));
    begun = jiffies;
    CHECK(mod_delayed_work(queue, &ticking, 0));
    while (__atomic_load_n(&ran, __ATOMIC_SEQ_CST) == 0 || jiffies_to_msecs(jiffies - begun) < 100) {
        msleep(1);
    }
    (void)cancel_delayed_work_sync(&ticking);
    CHECK_LE((unsigned)__atomic_load_n(&ran, __ATOMIC_SEQ_CST), jiffies_to_msecs(jiffies - begun) / 20 + 2);

    ran = 0;
    CHECK(queue_delayed_work(queue, &ticking, hour));
    CHECK(flush_delayed_work(&ticking), "now");
    CHECK_GE(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), 1);
    (void)cancel_delayed_work_sync(&ticking);
    destroy_workqueue(queue);
}
