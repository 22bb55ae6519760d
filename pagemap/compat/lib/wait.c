// SPDX-License-Identifier: BSD-2-Clause
/* Waiting, time and read sections. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>
#include <time.h>
#include <unistd.h>

#include "pagemap/compat/lib/lib.h"

DECLARE_WAIT_QUEUE_HEAD(pagemap_compat_var_queue);

unsigned long pagemap_compat_jiffies(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

void usleep_range(unsigned long least_us, unsigned long most_us)
{
    struct timespec time = {(time_t)(least_us / 1000000), (long)(least_us % 1000000) * 1000};

    (void)most_us;
    (void)nanosleep(&time, NULL);
}

/* ---- queues ---- */

void init_waitqueue_head(struct wait_queue_head *queue)
{
    spin_lock_init(&queue->lock);
    (void)pthread_cond_init(&queue->changed, NULL);
    queue->wakes = 0;
}

void wake_up_all(struct wait_queue_head *queue)
{
    spin_lock(&queue->lock);
    queue->wakes++;
    (void)pthread_cond_broadcast(&queue->changed);
    spin_unlock(&queue->lock);
}

unsigned long pagemap_compat_wakes(struct wait_queue_head *queue)
{
    unsigned long wakes;

    spin_lock(&queue->lock);
    wakes = queue->wakes;
    spin_unlock(&queue->lock);
    return wakes;
}

/* By the clock that a static initialiser of a condition variable means. */
static struct timespec deadline_in(unsigned long ms)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += (time_t)(ms / 1000);
    time.tv_nsec += (long)(ms % 1000) * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* pre: locked. Until it is woken, or the time is over: false. */
static bool sleep_on(struct wait_queue_head *queue, unsigned long ms, const struct timespec *deadline)
{
    return (ms == MAX_SCHEDULE_TIMEOUT
                ? pthread_cond_wait(&queue->changed, &queue->lock.lock)
                : pthread_cond_timedwait(&queue->changed, &queue->lock.lock, deadline)) == 0;
}

bool pagemap_compat_wait(struct wait_queue_head *queue, unsigned long wakes, unsigned long ms)
{
    struct timespec deadline = deadline_in(ms == MAX_SCHEDULE_TIMEOUT ? 0 : ms);
    bool in_time = true;

    if (!pm_kthread_sleeps(queue)) {
        return true;
    }
    spin_lock(&queue->lock);
    while (queue->wakes == wakes && in_time) {
        in_time = sleep_on(queue, ms, &deadline);
    }
    spin_unlock(&queue->lock);
    pm_kthread_woke();
    return in_time;
}

void init_completion(struct completion *completion)
{
    atomic_set(&completion->done, 0);
    init_waitqueue_head(&completion->wait);
}

/* Under the lock to the end: who waits may be gone with the completion as soon as it is let go. */
static void add_done(struct completion *completion, int most)
{
    int done;

    spin_lock(&completion->wait.lock);
    done = atomic_read(&completion->done);
    atomic_set(&completion->done, max(done, min(done + most, INT_MAX / 2)));
    completion->wait.wakes++;
    (void)pthread_cond_broadcast(&completion->wait.changed);
    spin_unlock(&completion->wait.lock);
}

void complete(struct completion *completion)
{
    add_done(completion, 1);
}

void complete_all(struct completion *completion)
{
    add_done(completion, INT_MAX / 2);
}

/* Takes one; of complete_all() there are enough for all. False: the time was over first. */
static bool take_done(struct completion *completion, unsigned long ms)
{
    struct timespec deadline = deadline_in(ms == MAX_SCHEDULE_TIMEOUT ? 0 : ms);
    bool in_time = true;
    int done;

    spin_lock(&completion->wait.lock);
    while ((done = atomic_read(&completion->done)) == 0 && in_time) {
        in_time = sleep_on(&completion->wait, ms, &deadline);
    }
    if (done > 0 && done < INT_MAX / 2) {
        atomic_set(&completion->done, done - 1);
    }
    spin_unlock(&completion->wait.lock);
    return done > 0;
}

void wait_for_completion(struct completion *completion)
{
    (void)take_done(completion, MAX_SCHEDULE_TIMEOUT);
}

unsigned long wait_for_completion_timeout(struct completion *completion, unsigned long timeout)
{
    unsigned long end = jiffies + timeout;

    if (!take_done(completion, timeout)) {
        return 0;
    }
    return timeout == MAX_SCHEDULE_TIMEOUT ? 1 : (unsigned long)max_t(long, 1, (long)(end - jiffies));
}

/* ---- read sections ---- */

static DEFINE_SPINLOCK(pending_lock); /* of what waits */
static struct rcu_head *pending, **pending_end = &pending;
static bool is_asked;         /* some of it was added by a thread that runs none itself */
static DEFINE_MUTEX(running); /* one batch after the other */
static DECLARE_WAIT_QUEUE_HEAD(queued);

enum {
    MOST_OFFSET = 4096
}; /* what is no function, but the place of a head in an object that is to be freed */

void synchronize_rcu(void)
{
    (void)pagemap_synchronize();
}

static _Thread_local bool is_running; /* in its callbacks, which may queue more */

static void add_pending(struct rcu_head *head)
{
    head->next = NULL;
    spin_lock(&pending_lock);
    WRITE_ONCE(*pending_end, head);
    pending_end = &head->next;
    is_asked |= !is_running;
    spin_unlock(&pending_lock);
}

/* The oldest first. */
static struct rcu_head *take_pending(void)
{
    struct rcu_head *head;

    spin_lock(&pending_lock);
    head = pending;
    WRITE_ONCE(pending, NULL);
    pending_end = &pending;
    is_asked = false;
    spin_unlock(&pending_lock);
    return head;
}

static void run(struct rcu_head *head)
{
    size_t offset = (size_t)head->func;

    if (offset < MOST_OFFSET) {
        kfree((char *)head - offset);
    } else {
        head->func(head);
    }
}

/* pre: `running`. What is queued before the grace period that this waits for. */
static void run_batch(void)
{
    struct rcu_head *head = take_pending();

    synchronize_rcu();
    is_running = true;
    while (head != NULL) {
        struct rcu_head *next = head->next;

        run(head);
        head = next;
    }
    is_running = false;
}

static void *reclaim(void *unused)
{
    for (;;) {
        wait_event(queued, READ_ONCE(pending) != NULL);
        mutex_lock(&running);
        run_batch();
        mutex_unlock(&running);
    }
    return unused;
}

static bool must_run(void)
{
    bool must;

    spin_lock(&pending_lock);
    must = is_asked;
    spin_unlock(&pending_lock);
    return must;
}

/*
 * Without a thread of ours. Another thread that is at it runs what was added meanwhile, too: it may be waiting for a
 * reader who needs a lock of this one's.
 */
static void run_here(void)
{
    while (must_run() && mutex_trylock(&running)) {
        run_batch();
        mutex_unlock(&running);
    }
}

/* False: the system refuses a thread. */
static bool has_thread(void)
{
    static bool is_there;
    pthread_t thread;
    bool has;

    spin_lock(&pending_lock);
    if (!is_there && pthread_create(&thread, NULL, reclaim, NULL) == 0) {
        (void)pthread_detach(thread);
        is_there = true;
    }
    has = is_there;
    spin_unlock(&pending_lock);
    return has;
}

/* Readers may need a lock that the caller has: another thread waits for them. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
    head->func = func;
    add_pending(head);
    if (has_thread()) {
        wake_up_all(&queued);
    } else if (!is_running && !pagemap_read_lock_held()) {
        run_here();
    }
}

struct barrier {
    struct rcu_head head;
    struct completion passed;
};

static void pass(struct rcu_head *head)
{
    complete(&container_of(head, struct barrier, head)->passed);
}

/* What is queued later is not waited for; nor is anything by a callback or a reader, which it would wait for. */
void rcu_barrier(void)
{
    struct barrier barrier;

    if (!is_running && !pagemap_read_lock_held()) {
        init_completion(&barrier.passed);
        call_rcu(&barrier.head, pass);
        wait_for_completion(&barrier.passed);
    }
    (void)pagemap_barrier();
}

/* The object begins `offset` bytes before its head, which the queue uses meanwhile. */
void pagemap_compat_kfree_rcu(struct rcu_head *head, size_t offset)
{
    call_rcu(head, (void (*)(struct rcu_head *))offset);
}

int init_srcu_struct(struct srcu_struct *srcu)
{
    memset(srcu, 0, sizeof *srcu);
    spin_lock_init(&srcu->lock);
    init_waitqueue_head(&srcu->idle);
    return 0;
}

void cleanup_srcu_struct(struct srcu_struct *srcu)
{
    WARN_ON(srcu->readers[0] != 0 || srcu->readers[1] != 0);
}

int srcu_read_lock(struct srcu_struct *srcu)
{
    int index;

    spin_lock(&srcu->lock);
    index = srcu->current_index;
    srcu->readers[index]++;
    spin_unlock(&srcu->lock);
    return index;
}

void srcu_read_unlock(struct srcu_struct *srcu, int index)
{
    bool last;

    spin_lock(&srcu->lock);
    last = --srcu->readers[index] == 0;
    spin_unlock(&srcu->lock);
    if (last) {
        wake_up_all(&srcu->idle);
    }
}

static bool is_idle(struct srcu_struct *srcu, int index)
{
    bool idle;

    spin_lock(&srcu->lock);
    idle = srcu->readers[index] == 0;
    spin_unlock(&srcu->lock);
    return idle;
}

/* Both sides in turn: the other one may still have readers of an earlier, overlapping call. */
void synchronize_srcu(struct srcu_struct *srcu)
{
    for (int turn = 0; turn < 2; turn++) {
        int old;

        spin_lock(&srcu->lock);
        old = srcu->current_index;
        srcu->current_index = !old;
        spin_unlock(&srcu->lock);
        wait_event(srcu->idle, is_idle(srcu, old));
    }
}

/* ---- tasks ---- */

void schedule(void)
{
    msleep(1);
}

struct task_struct *pagemap_compat_current(void)
{
    static _Thread_local struct task_struct task;

    if (task.mm == NULL) {
        task.mm = &init_mm;
        task.pid = (int)gettid();
        (void)pthread_getname_np(pthread_self(), task.comm, sizeof task.comm);
    }
    return &task;
}
