// SPDX-License-Identifier: BSD-2-Clause
/* Work queues and threads of drivers. Kernel: kernel/workqueue.c, kernel/kthread.c (6.1). */
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "pagemap/compat/lib/lib.h"

struct workqueue_struct {
    spinlock_t lock;
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
    spin_lock(&queue->lock);
    list_for_each_entry(work, &queue->waiting, entry)
    {
        unsigned long left = until_due(queue, work);

        *ms = min(*ms, left);
        if (left == 0) {
            found = work;
            list_del_init(&found->entry);
            queue->running = found;
            found->started++;
            break;
        }
    }
    spin_unlock(&queue->lock);
    return found;
}

static bool must_end(struct workqueue_struct *queue)
{
    bool ends;

    spin_lock(&queue->lock);
    ends = queue->ends && list_empty(&queue->waiting);
    spin_unlock(&queue->lock);
    return ends;
}

/* The work may be gone when its function has returned: only the queue is touched. */
static void run_one(struct workqueue_struct *queue, struct work_struct *work)
{
    work->func(work);
    spin_lock(&queue->lock);
    queue->running = NULL;
    spin_unlock(&queue->lock);
    wake_up_all(&queue->changed);
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
    spin_lock_init(&queue->lock);
    INIT_LIST_HEAD(&queue->waiting);
    init_waitqueue_head(&queue->changed);
    if (pthread_create(&queue->thread, NULL, serve, queue) != 0) {
        kfree(queue);
        return NULL;
    }
    return queue;
}

void destroy_workqueue(struct workqueue_struct *queue)
{
    spin_lock(&queue->lock);
    queue->ends = true;
    spin_unlock(&queue->lock);
    wake_up_all(&queue->changed);
    (void)pthread_join(queue->thread, NULL);
    kfree(queue);
}

struct workqueue_struct *pagemap_compat_system_wq(void)
{
    static DEFINE_MUTEX(lock);
    static struct workqueue_struct *queue;
    struct workqueue_struct *made;

    mutex_lock(&lock);
    if (queue == NULL) {
        queue = alloc_workqueue("events", 0, 0);
        BUG_ON(queue == NULL);
    }
    made = queue;
    mutex_unlock(&lock);
    return made;
}

/* Whether it waited already. */
static bool queue_at(struct workqueue_struct *queue, struct work_struct *work, unsigned long due,
                     bool changes)
{
    bool waited;

    spin_lock(&queue->lock);
    waited = !list_empty(&work->entry) || work->is_cancelled;
    if (!waited) {
        WRITE_ONCE(work->queue, queue);
        list_add_tail(&work->entry, &queue->waiting);
    }
    if (!waited || changes) {
        work->due = due;
    }
    spin_unlock(&queue->lock);
    wake_up_all(&queue->changed);
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

/* What is queued later is not waited for: work may queue itself again. */
void flush_workqueue(struct workqueue_struct *queue)
{
    struct barrier barrier;

    INIT_WORK_ONSTACK(&barrier.work, pass);
    init_completion(&barrier.passed);
    (void)queue_work(queue, &barrier.work);
    wait_for_completion(&barrier.passed);
}

/* pre: locked. Which start of it is the last that was asked for; 0: none that waits or runs. */
static unsigned long last_start(const struct workqueue_struct *queue, const struct work_struct *work)
{
    bool waits = !list_empty(&work->entry) && until_due(queue, work) == 0;

    return waits ? work->started + 1 : queue->running == work ? work->started : 0;
}

/* Whether it has run that often, or was taken out. */
static bool has_run(struct workqueue_struct *queue, const struct work_struct *work, unsigned long start)
{
    bool has;

    spin_lock(&queue->lock);
    has = work->started > start ||
          (queue->running != work && (work->started == start || list_empty(&work->entry)));
    spin_unlock(&queue->lock);
    return has;
}

/* `now`: also if it waits for its time. */
static bool flush(struct work_struct *work, bool now)
{
    struct workqueue_struct *queue = READ_ONCE(work->queue);
    unsigned long start;

    if (queue == NULL) {
        return false;
    }
    spin_lock(&queue->lock);
    work->due = now ? jiffies : work->due;
    start = last_start(queue, work);
    spin_unlock(&queue->lock);
    if (start == 0) {
        return false;
    }
    wake_up_all(&queue->changed);
    wait_event(queue->changed, has_run(queue, work, start));
    return true;
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
    struct workqueue_struct *queue = READ_ONCE(work->queue);
    bool was_waiting;

    if (queue == NULL) {
        return false;
    }
    spin_lock(&queue->lock);
    was_waiting = !list_empty(&work->entry);
    list_del_init(&work->entry);
    work->is_cancelled = true;
    spin_unlock(&queue->lock);
    (void)flush_work(work);
    spin_lock(&queue->lock);
    work->is_cancelled = false;
    spin_unlock(&queue->lock);
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
