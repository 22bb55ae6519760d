// SPDX-License-Identifier: BSD-2-Clause
/* Locks that sleep. None of them may be taken in a signal handler. */
#ifndef PAGEMAP_COMPAT_LINUX_MUTEX_H
#define PAGEMAP_COMPAT_LINUX_MUTEX_H

#include <pthread.h>

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/list.h>

struct mutex {
    pthread_mutex_t lock;
    int is_locked;
};

#define __MUTEX_INITIALIZER(name)                                                                            \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, 0                                                                         \
    }
#define DEFINE_MUTEX(name) struct mutex name = __MUTEX_INITIALIZER(name)

static inline void mutex_init(struct mutex *mutex)
{
    (void)pthread_mutex_init(&mutex->lock, NULL);
    mutex->is_locked = 0;
}

static inline void mutex_destroy(struct mutex *mutex)
{
    (void)pthread_mutex_destroy(&mutex->lock);
}

static inline void mutex_lock(struct mutex *mutex)
{
    (void)pthread_mutex_lock(&mutex->lock);
    WRITE_ONCE(mutex->is_locked, 1);
}

static inline int mutex_trylock(struct mutex *mutex)
{
    if (pthread_mutex_trylock(&mutex->lock) != 0) {
        return 0;
    }
    WRITE_ONCE(mutex->is_locked, 1);
    return 1;
}

static inline void mutex_unlock(struct mutex *mutex)
{
    WRITE_ONCE(mutex->is_locked, 0);
    (void)pthread_mutex_unlock(&mutex->lock);
}

static inline bool mutex_is_locked(struct mutex *mutex)
{
    return READ_ONCE(mutex->is_locked) != 0;
}

/* Nothing interrupts or kills a thread here: these always return 0, with the lock. */
static inline int mutex_lock_interruptible(struct mutex *mutex)
{
    mutex_lock(mutex);
    return 0;
}

#define mutex_lock_killable(mutex) mutex_lock_interruptible(mutex)
#define mutex_lock_nested(mutex, subclass) mutex_lock(mutex)
#define mutex_lock_io(mutex) mutex_lock(mutex)

#endif
