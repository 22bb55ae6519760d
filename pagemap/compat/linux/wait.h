// SPDX-License-Identifier: BSD-2-Clause
/* Sleeping until a condition is true. No signal interrupts a wait here; kthread_stop() lets it look once more. */
#ifndef PAGEMAP_COMPAT_LINUX_WAIT_H
#define PAGEMAP_COMPAT_LINUX_WAIT_H

#include <pthread.h>

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct wait_queue_head {
    spinlock_t lock;
    pthread_cond_t changed;
    unsigned long wakes;
};
typedef struct wait_queue_head wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INITIALIZER(name)                                                                  \
    {                                                                                                        \
        __SPIN_LOCK_UNLOCKED(name), PTHREAD_COND_INITIALIZER, 0                                              \
    }
#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)

void init_waitqueue_head(struct wait_queue_head *queue);
void wake_up_all(struct wait_queue_head *queue);

/*
 * How often it was woken; until it is woken more often than that, or so many milliseconds are over
 * (MAX_SCHEDULE_TIMEOUT: none are): then false.
 */
unsigned long pagemap_compat_wakes(struct wait_queue_head *queue);
bool pagemap_compat_wait(struct wait_queue_head *queue, unsigned long wakes, unsigned long ms);

#define wake_up wake_up_all
#define wake_up_interruptible wake_up_all
#define wake_up_interruptible_all wake_up_all
#define wake_up_locked wake_up_all

/* The condition is looked at again after each wake-up, without any lock held. */
#define wait_event_timeout(queue, condition, time)                                                           \
    ({                                                                                                       \
        unsigned long left_ = (time), end_ = jiffies + left_, wakes_ = pagemap_compat_wakes(&(queue));       \
        while (!(condition)) {                                                                               \
            if (left_ != MAX_SCHEDULE_TIMEOUT && !time_before(jiffies, end_)) {                              \
                left_ = 0;                                                                                   \
                break;                                                                                       \
            }                                                                                                \
            (void)pagemap_compat_wait(&(queue), wakes_,                                                      \
                                      left_ == MAX_SCHEDULE_TIMEOUT ? left_ : end_ - jiffies);               \
            wakes_ = pagemap_compat_wakes(&(queue));                                                         \
        }                                                                                                    \
        (long)(left_ == 0 ? 0 : left_ == MAX_SCHEDULE_TIMEOUT ? 1 : max_t(long, 1, (long)(end_ - jiffies))); \
    })
#define wait_event(queue, condition) ((void)wait_event_timeout(queue, condition, MAX_SCHEDULE_TIMEOUT))
#define wait_event_interruptible(queue, condition) (wait_event(queue, condition), 0)
#define wait_event_killable(queue, condition) (wait_event(queue, condition), 0)
#define wait_event_interruptible_timeout wait_event_timeout

#endif
