// SPDX-License-Identifier: BSD-2-Clause
/* Functions that run later: each queue is a thread. */
#ifndef PAGEMAP_COMPAT_LINUX_WORKQUEUE_H
#define PAGEMAP_COMPAT_LINUX_WORKQUEUE_H

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct work_struct;
struct workqueue_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
    work_func_t func;
    struct list_head entry;
    struct workqueue_struct *queue; /* where it is queued or runs; NULL: nowhere */
};

struct delayed_work {
    struct work_struct work;
    unsigned long at; /* jiffies */
};

#define __WORK_INITIALIZER(name, function)                                                                   \
    {                                                                                                        \
        .func = (function), .entry = LIST_HEAD_INIT((name).entry)                                            \
    }
#define DECLARE_WORK(name, function) struct work_struct name = __WORK_INITIALIZER(name, function)
#define INIT_WORK(work, function)                                                                            \
    do {                                                                                                     \
        (work)->func = (function);                                                                           \
        (work)->queue = NULL;                                                                                \
        INIT_LIST_HEAD(&(work)->entry);                                                                      \
    } while (0)
#define INIT_WORK_ONSTACK INIT_WORK
#define INIT_DELAYED_WORK(delayed, function) INIT_WORK(&(delayed)->work, function)
#define WQ_UNBOUND 2
#define WQ_HIGHPRI 16
#define WQ_MEM_RECLAIM 8

extern struct workqueue_struct *pagemap_compat_system_wq(void);
#define system_wq pagemap_compat_system_wq()
#define system_unbound_wq system_wq
#define system_long_wq system_wq

struct workqueue_struct *alloc_workqueue(const char *format, unsigned flags, int max_active, ...);
void destroy_workqueue(struct workqueue_struct *queue);
/* False: it waits to run already. */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
/* Until what is queued now has run. */
void flush_workqueue(struct workqueue_struct *queue);
bool flush_work(struct work_struct *work);
/* Takes it out, or waits until it has run. True: it was waiting. */
bool cancel_work_sync(struct work_struct *work);

/* Delays are not kept: the work runs at once. */
#define queue_delayed_work(queue, delayed, delay) ((void)(delay), queue_work(queue, &(delayed)->work))
#define mod_delayed_work queue_delayed_work
#define schedule_work(work) queue_work(system_wq, work)
#define schedule_delayed_work(delayed, delay) queue_delayed_work(system_wq, delayed, delay)
#define flush_delayed_work(delayed) flush_work(&(delayed)->work)
#define cancel_delayed_work_sync(delayed) cancel_work_sync(&(delayed)->work)
#define flush_scheduled_work() flush_workqueue(system_wq)
#define to_delayed_work(its_work) container_of(its_work, struct delayed_work, work)
#define create_singlethread_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define create_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define alloc_ordered_workqueue(format, flags, ...) alloc_workqueue(format, flags, 1, ##__VA_ARGS__)

#endif
