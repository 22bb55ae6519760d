// SPDX-License-Identifier: BSD-2-Clause
/* A system that refuses threads: what was to run on a thread of ours runs on those that there are. */
#include <errno.h>

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "test/pagemap/kernel/rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sleeps.h"

static DEFINE_MUTEX(list_lock);
static struct completion may_begin, may_read, is_reading;
static unsigned ran;
static int tid;

static void count(struct rcu_head *head)
{
    (void)head;
    (void)__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
}

static void *read_and_lock(void *unused)
{
    wait_for_completion(&may_read);
    rcu_read_lock();
    complete(&is_reading);
    mutex_lock(&list_lock);
    CHECK_EQ(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), 0, "not before the reader has left");
    mutex_unlock(&list_lock);
    rcu_read_unlock();
    return unused;
}

static void *wait_for_reader(void *head)
{
    wait_for_completion(&may_begin);
    __atomic_store_n(&tid, (int)gettid(), __ATOMIC_SEQ_CST);
    call_rcu(head, count);
    return NULL;
}

static void refuse_threads(void)
{
    pthread_t thread;

    refuse_all_threads(SYS_clone3, EAGAIN);
    refuse_all_threads(SYS_clone, EAGAIN);
    REQUIRE_EQ(pthread_create(&thread, NULL, read_and_lock, NULL), EAGAIN);
}

static void queue_again(struct rcu_head *head)
{
    count(head);
    call_rcu(head, queue_again);
}

/* Which must not be before the other one waits for the reader. */
static void add_under_lock(struct rcu_head *head)
{
    while (!thread_sleeps(__atomic_load_n(&tid, __ATOMIC_SEQ_CST))) {
        usleep(1000);
    }
    call_rcu(head, count);
    mutex_unlock(&list_lock);
}

static void free_without_a_thread(void)
{
    static struct rcu_head again; /* which waits to the end */
    struct rcu_head heads[3];
    pthread_t reader, other;

    kernel_set_up();
    init_completion(&may_begin);
    init_completion(&may_read);
    init_completion(&is_reading);
    REQUIRE_EQ(pthread_create(&reader, NULL, read_and_lock, NULL), 0);
    REQUIRE_EQ(pthread_create(&other, NULL, wait_for_reader, &heads[0]), 0);
    refuse_threads();
    mutex_lock(&list_lock);
    complete(&may_read);
    wait_for_completion(&is_reading);
    complete(&may_begin);
    add_under_lock(&heads[1]);
    (void)pthread_join(reader, NULL);
    (void)pthread_join(other, NULL);
    CHECK_EQ(ran, 2, "who waited for the reader ran what was added meanwhile");

    rcu_read_lock();
    call_rcu(&heads[2], count);
    CHECK_EQ(ran, 2);
    rcu_read_unlock();
    rcu_barrier();
    CHECK_EQ(ran, 3);
    call_rcu(&again, queue_again);
    rcu_barrier();
    CHECK_GE(ran, 4);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(refused, callbacks_run_without_a_thread)
{
    child_run(free_without_a_thread);
}
