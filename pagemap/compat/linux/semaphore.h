// SPDX-License-Identifier: BSD-2-Clause
/* Counting semaphores. */
#ifndef PAGEMAP_COMPAT_LINUX_SEMAPHORE_H
#define PAGEMAP_COMPAT_LINUX_SEMAPHORE_H

#include <linux/wait.h>

struct semaphore {
    atomic_t count;
    wait_queue_head_t wait;
};

static inline void sema_init(struct semaphore *sem, int count)
{
    atomic_set(&sem->count, count);
    init_waitqueue_head(&sem->wait);
}

static inline int down_trylock(struct semaphore *sem)
{
    return atomic_add_unless(&sem->count, -1, 0) ? 0 : 1;
}

static inline void down(struct semaphore *sem)
{
    wait_event(sem->wait, down_trylock(sem) == 0);
}

static inline int down_interruptible(struct semaphore *sem)
{
    down(sem);
    return 0;
}

static inline void up(struct semaphore *sem)
{
    atomic_inc(&sem->count);
    wake_up_all(&sem->wait);
}

#endif
