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

/* The next to run; NULL: none is waiting. */
static struct work_struct *take(struct workqueue_struct *queue)
{
    struct work_struct *work;

    spin_lock(&queue->lock);
    work = list_first_entry_or_null(&queue->waiting, struct work_struct, entry);
    if (work != NULL) {
        list_del_init(&work->entry);
        queue->running = work;
    }
    spin_unlock(&queue->lock);
    return work;
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
static void *serve(void *data)
{
    struct workqueue_struct *queue = data;
    struct work_struct *work = NULL;

    while (!must_end(queue)) {
        wait_event(queue->changed, (work = take(queue)) != NULL || must_end(queue));
        if (work != NULL) {
            work->func(work);
            spin_lock(&queue->lock);
            queue->running = NULL;
            spin_unlock(&queue->lock);
            wake_up_all(&queue->changed);
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

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
    bool is_new;

    spin_lock(&queue->lock);
    is_new = list_empty(&work->entry);
    if (is_new) {
        WRITE_ONCE(work->queue, queue);
        list_add_tail(&work->entry, &queue->waiting);
    }
    spin_unlock(&queue->lock);
    wake_up_all(&queue->changed);
    return is_new;
}

/* Whether `work` neither waits nor runs. */
static bool is_done(struct workqueue_struct *queue, const struct work_struct *work)
{
    bool done;

    spin_lock(&queue->lock);
    done = queue->running != work && list_empty(&work->entry);
    spin_unlock(&queue->lock);
    return done;
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

bool flush_work(struct work_struct *work)
{
    struct workqueue_struct *queue = READ_ONCE(work->queue);
    bool was_done = queue == NULL || is_done(queue, work);

    if (!was_done) {
        wait_event(queue->changed, is_done(queue, work));
    }
    return !was_done;
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
    spin_unlock(&queue->lock);
    (void)flush_work(work);
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
