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
    struct workqueue_struct *queue; /* where it waits, as long as it does; NULL: it never did */
    unsigned long due;              /* jiffies */
    bool is_cancelled;              /* not to be queued now */
};

struct delayed_work {
    struct work_struct work;
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
        (work)->is_cancelled = false;                                                                        \
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
/* False: it waits to run already, or is just being cancelled. */
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay);
/* Also changes queue and delay of one that waits: true then. */
bool mod_delayed_work(struct workqueue_struct *queue, struct delayed_work *delayed, unsigned long delay);
/* Until what is queued now, and due, has run. */
void flush_workqueue(struct workqueue_struct *queue);
/*
 * The same of one, which its function may free, and another thread cancel or put off: then it is not waited for. False:
 * nothing was.
 */
bool flush_work(struct work_struct *work);
/* Runs it now if it waits for its time. */
bool flush_delayed_work(struct delayed_work *delayed);
/* Takes it out, and waits until it does not run; meanwhile it cannot queue itself. True: it was waiting. */
bool cancel_work_sync(struct work_struct *work);

#define schedule_work(work) queue_work(system_wq, work)
#define schedule_delayed_work(delayed, delay) queue_delayed_work(system_wq, delayed, delay)
#define cancel_delayed_work_sync(delayed) cancel_work_sync(&(delayed)->work)
#define flush_scheduled_work() flush_workqueue(system_wq)
#define to_delayed_work(its_work) container_of(its_work, struct delayed_work, work)
#define create_singlethread_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define create_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define alloc_ordered_workqueue(format, flags, ...) alloc_workqueue(format, flags, 1, ##__VA_ARGS__)

#endif
