// SPDX-License-Identifier: BSD-2-Clause
/* Work queues and threads of drivers. Kernel: kernel/workqueue.c, kernel/kthread.c (6.1). */
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "pagemap/compat/lib/lib.h"

/* Of all queues and their works: no work need know a queue, which may be gone, to be looked at. */
static DEFINE_SPINLOCK(lock);
static LIST_HEAD(queues);

struct workqueue_struct {
    struct list_head entry; /* of queues */
    struct list_head waiting;
    struct work_struct *running;
    bool ends;
    wait_queue_head_t changed; /* anything of the above */
    pthread_t thread;
};

/* pre: locked. The milliseconds until then; 0: now. At the end of the queue nothing is waited for. */
static unsigned long until_due(const struct workqueue_struct *queue, const struct work_struct *work)
{
    unsigned long now = jiffies;

    return queue->ends || !time_before(now, work->due) ? 0 : work->due - now;
}

/* The next to run; NULL: none is due for so many milliseconds. */
static struct work_struct *take(struct workqueue_struct *queue, unsigned long *ms)
{
    struct work_struct *work, *found = NULL;

    *ms = MAX_SCHEDULE_TIMEOUT;
    spin_lock(&lock);
    list_for_each_entry(work, &queue->waiting, entry)
    {
        unsigned long left = until_due(queue, work);

        *ms = min(*ms, left);
        if (left == 0) {
            found = work;
            list_del_init(&found->entry);
            queue->running = found;
            break;
        }
    }
    spin_unlock(&lock);
    return found;
}

static bool must_end(struct workqueue_struct *queue)
{
    bool ends;

    spin_lock(&lock);
    ends = queue->ends && list_empty(&queue->waiting);
    spin_unlock(&lock);
    return ends;
}

/* The work may be gone when its function has returned: only the queue is touched. */
static void run_one(struct workqueue_struct *queue, struct work_struct *work)
{
    work->func(work);
    spin_lock(&lock);
    queue->running = NULL;
    spin_unlock(&lock);
}

static void *serve(void *data)
{
    struct workqueue_struct *queue = data;

    while (!must_end(queue)) {
        unsigned long wakes = pagemap_compat_wakes(&queue->changed), ms;
        struct work_struct *work = take(queue, &ms);

        if (work != NULL) {
            run_one(queue, work);
        } else if (!must_end(queue)) {
            (void)pagemap_compat_wait(&queue->changed, wakes, ms);
        }
    }
    return NULL;
}

struct workqueue_struct *alloc_workqueue(const char *format, unsigned flags, int max_active, ...)
{
    struct workqueue_struct *queue = kzalloc(sizeof *queue, GFP_KERNEL);

    (void)format, (void)flags, (void)max_active;
    if (queue == NULL) {
        return NULL;
    }
    INIT_LIST_HEAD(&queue->waiting);
    init_waitqueue_head(&queue->changed);
    if (pthread_create(&queue->thread, NULL, serve, queue) != 0) {
        kfree(queue);
        return NULL;
    }
    spin_lock(&lock);
    list_add_tail(&queue->entry, &queues);
    spin_unlock(&lock);
    return queue;
}

void destroy_workqueue(struct workqueue_struct *queue)
{
    spin_lock(&lock);
    queue->ends = true;
    spin_unlock(&lock);
    wake_up_all(&queue->changed);
    (void)pthread_join(queue->thread, NULL);
    spin_lock(&lock);
    list_del(&queue->entry);
    spin_unlock(&lock);
    kfree(queue);
}

struct workqueue_struct *pagemap_compat_system_wq(void)
{
    static DEFINE_MUTEX(making);
    static struct workqueue_struct *queue;
    struct workqueue_struct *made;

    mutex_lock(&making);
    if (queue == NULL) {
        queue = alloc_workqueue("events", 0, 0);
        BUG_ON(queue == NULL);
    }
    made = queue;
    mutex_unlock(&making);
    return made;
}

/* pre: locked. Not of one that is all zeros, which drivers cancel, too. */
static bool is_waiting(const struct work_struct *work)
{
    return work->queue != NULL && !list_empty(&work->entry);
}

/* Whether it waited already, or is not to be queued. `changes`: one that waits is queued anew. */
static bool queue_at(struct workqueue_struct *queue, struct work_struct *work, unsigned long due,
                     bool changes)
{
    bool waited;

    spin_lock(&lock);
    waited = is_waiting(work) || work->is_cancelled;
    if (!work->is_cancelled && (!waited || changes)) {
        work->queue = queue;
        work->due = due;
        list_move_tail(&work->entry, &queue->waiting);
        wake_up_all(&queue->changed);
    }
    spin_unlock(&lock);
    return waited;
}

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
    return !queue_at(queue, work, jiffies, false);
}

bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay)
{
    return !queue_at(queue, &delayed->work, jiffies + delay, false);
}

bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay)
{
    return queue_at(queue, &delayed->work, jiffies + delay, true);
}

struct barrier {
    struct work_struct work;
    struct completion passed;
};

static void pass(struct work_struct *work)
{
    complete(&container_of(work, struct barrier, work)->passed);
}

static void init_barrier(struct barrier *barrier)
{
    INIT_WORK_ONSTACK(&barrier->work, pass);
    init_completion(&barrier->passed);
}

/* What is queued later is not waited for: work may queue itself again. */
void flush_workqueue(struct workqueue_struct *queue)
{
    struct barrier barrier;

    init_barrier(&barrier);
    (void)queue_work(queue, &barrier.work);
    wait_for_completion(&barrier.passed);
}

/* pre: locked. NULL: none runs it. */
static struct workqueue_struct *queue_running(const struct work_struct *work)
{
    struct workqueue_struct *queue;

    list_for_each_entry(queue, &queues, entry)
    {
        if (queue->running == work) {
            return queue;
        }
    }
    return NULL;
}

/*
 * pre: locked. Lets the barrier pass when the work has run that waits and is due, or else runs now; sooner if that is
 * cancelled or put off. False: it does neither.
 */
static bool put_behind(struct barrier *barrier, struct work_struct *work)
{
    bool is_due = is_waiting(work) && until_due(work->queue, work) == 0;
    struct workqueue_struct *queue = is_due ? work->queue : queue_running(work);

    if (queue == NULL) {
        return false;
    }
    barrier->work.queue = queue;
    barrier->work.due = jiffies;
    list_add(&barrier->work.entry, is_due ? &work->entry : &queue->waiting);
    wake_up_all(&queue->changed);
    return true;
}

/* `now`: also if it waits for its time. The work may be gone as soon as it has run: only the barrier is looked at. */
static bool flush(struct work_struct *work, bool now)
{
    struct barrier barrier;
    bool waits;

    init_barrier(&barrier);
    spin_lock(&lock);
    if (now) {
        work->due = jiffies;
    }
    waits = put_behind(&barrier, work);
    spin_unlock(&lock);
    if (waits) {
        wait_for_completion(&barrier.passed);
    }
    return waits;
}

bool flush_work(struct work_struct *work)
{
    return flush(work, false);
}

bool flush_delayed_work(struct delayed_work *delayed)
{
    return flush(&delayed->work, true);
}

bool cancel_work_sync(struct work_struct *work)
{
    bool was_waiting;

    spin_lock(&lock);
    was_waiting = is_waiting(work);
    if (was_waiting) {
        list_del_init(&work->entry);
    }
    work->is_cancelled = true;
    spin_unlock(&lock);
    (void)flush_work(work);
    spin_lock(&lock);
    work->is_cancelled = false;
    spin_unlock(&lock);
    return was_waiting;
}

/* ---- threads ---- */

struct kthread {
    struct task_struct task;
    pthread_t thread;
    int (*function)(void *data);
    void *data;
    int result, must_stop;
    spinlock_t lock; /* of the next two */
    struct wait_queue_head *sleeps_on;
    bool is_woken; /* it is not to sleep the next time */
};

static _Thread_local struct kthread *self;

static void *run(void *data)
{
    self = data;
    self->result = self->function(self->data);
    return NULL;
}

struct task_struct *pagemap_compat_kthread_run(int (*function)(void *data), void *data)
{
    struct kthread *made = kzalloc(sizeof *made, GFP_KERNEL);

    if (made == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    made->function = function;
    made->data = data;
    made->task.mm = &init_mm;
    spin_lock_init(&made->lock);
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        kfree(made);
        return ERR_PTR(-ENOMEM);
    }
    return &made->task;
}

bool pm_kthread_sleeps(struct wait_queue_head *queue)
{
    bool may;

    if (self == NULL) {
        return true;
    }
    spin_lock(&self->lock);
    may = !self->is_woken;
    self->is_woken = false;
    self->sleeps_on = may ? queue : NULL;
    spin_unlock(&self->lock);
    return may;
}

void pm_kthread_woke(void)
{
    if (self != NULL) {
        spin_lock(&self->lock);
        self->sleeps_on = NULL;
        self->is_woken = false;
        spin_unlock(&self->lock);
    }
}

/* The queue is there as long as the thread sleeps on it. */
static void wake(struct kthread *thread)
{
    spin_lock(&thread->lock);
    thread->is_woken = true;
    if (thread->sleeps_on != NULL) {
        wake_up_all(thread->sleeps_on);
    }
    spin_unlock(&thread->lock);
}

int kthread_stop(struct task_struct *task)
{
    struct kthread *thread = container_of(task, struct kthread, task);
    int result;

    WRITE_ONCE(thread->must_stop, 1);
    wake(thread);
    (void)pthread_join(thread->thread, NULL);
    result = thread->result;
    kfree(thread);
    return result;
}

bool kthread_should_stop(void)
{
    return self != NULL && READ_ONCE(self->must_stop) != 0;
}
