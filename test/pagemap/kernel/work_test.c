// SPDX-License-Identifier: BSD-2-Clause
/* Threads and work of a driver: that they end when they are asked to, and run when they are due. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "test/pagemap/kernel/rig.h"
#include "test/pagemap/sleeps.h"

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

/* ---- flushes, and what becomes of the work meanwhile ---- */

static struct completion may_go_on;

static void wait_in_it(struct work_struct *work)
{
    (void)work;
    complete(&is_there);
    wait_for_completion(&may_go_on);
}

/* With a work of which it is known that it runs, and keeps the queue from running others. */
static void make_busy_queue(struct work_struct *busy)
{
    init_completion(&is_there);
    init_completion(&may_go_on);
    queue = alloc_workqueue("busy", 0, 0);
    REQUIRE_NE(queue, NULL);
    CHECK(queue_work(queue, busy));
    wait_for_completion(&is_there);
}

struct flusher {
    pthread_t thread;
    struct work_struct *work;
    int tid;
    bool waited;
};

static void *flush_on_thread(void *data)
{
    struct flusher *flusher = data;

    __atomic_store_n(&flusher->tid, (int)gettid(), __ATOMIC_SEQ_CST);
    flusher->waited = flush_work(flusher->work);
    return NULL;
}

/* Until it waits. */
static void start_flusher(struct flusher *flusher)
{
    REQUIRE_EQ(pthread_create(&flusher->thread, NULL, flush_on_thread, flusher), 0);
    while (!thread_sleeps(__atomic_load_n(&flusher->tid, __ATOMIC_SEQ_CST))) {
        msleep(1);
    }
}

static void end_flusher(struct flusher *flusher)
{
    complete(&may_go_on);
    (void)pthread_join(flusher->thread, NULL);
    CHECK(flusher->waited);
}

static void count(struct work_struct *work)
{
    (void)work;
    (void)__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
}

static void flush_what_another_thread(bool puts_off)
{
    struct work_struct busy;
    struct delayed_work delayed;
    struct flusher flusher = {.work = &delayed.work};

    INIT_WORK(&busy, wait_in_it);
    INIT_DELAYED_WORK(&delayed, count);
    make_busy_queue(&busy);
    CHECK(queue_delayed_work(queue, &delayed, 0));
    start_flusher(&flusher);
    if (puts_off) {
        CHECK(mod_delayed_work(queue, &delayed, msecs_to_jiffies(3600000)));
    } else {
        CHECK(cancel_delayed_work_sync(&delayed));
    }
    end_flusher(&flusher);
    CHECK_EQ(cancel_delayed_work_sync(&delayed), puts_off);
    destroy_workqueue(queue);
}

TEST_CASE(work, flushes_end_though_the_work_never_runs)
{
    ran = 0;
    flush_what_another_thread(false);
    flush_what_another_thread(true);
    CHECK_EQ(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), 0);
}

static void wait_and_free(struct work_struct *work)
{
    wait_in_it(work);
    memset(work, 0, sizeof *work);
    kfree(work);
}

TEST_CASE(work, flushes_touch_no_work_that_its_function_freed)
{
    struct work_struct *work = kzalloc(sizeof *work, GFP_KERNEL);
    struct work_struct other;
    struct flusher flusher = {.work = work};

    REQUIRE_NE(work, NULL);
    INIT_WORK(work, wait_and_free);
    INIT_WORK(&other, count);
    make_busy_queue(work);
    start_flusher(&flusher);
    CHECK(!flush_work(&other), "after the flusher's look, also to ThreadSanitizer");
    end_flusher(&flusher);
    destroy_workqueue(queue);
}

TEST_CASE(work, work_outlives_its_queue_and_changes_over)
{
    struct workqueue_struct *other = alloc_workqueue("other", 0, 0);
    struct delayed_work delayed;
    struct work_struct zeros = {.func = NULL};

    REQUIRE_NE(other, NULL);
    queue = alloc_workqueue("first", 0, 0);
    REQUIRE_NE(queue, NULL);
    INIT_DELAYED_WORK(&delayed, count);
    ran = 0;
    CHECK(queue_delayed_work(queue, &delayed, 0));
    destroy_workqueue(queue);
    CHECK_EQ(ran, 1);
    CHECK(!flush_work(&delayed.work));
    CHECK(!cancel_delayed_work_sync(&delayed));
    CHECK(!cancel_work_sync(&zeros));

    queue = alloc_workqueue("first", 0, 0);
    REQUIRE_NE(queue, NULL);
    CHECK(queue_delayed_work(queue, &delayed, msecs_to_jiffies(3600000)));
    CHECK(!queue_delayed_work(other, &delayed, 0), "it waits");
    CHECK(mod_delayed_work(other, &delayed, 0));
    destroy_workqueue(other);
    CHECK_EQ(ran, 2);
    destroy_workqueue(queue);
    CHECK_EQ(ran, 2);
}
