// SPDX-License-Identifier: BSD-2-Clause
/* Locks for many readers or one writer. */
#ifndef PAGEMAP_COMPAT_LINUX_RWSEM_H
#define PAGEMAP_COMPAT_LINUX_RWSEM_H

#include <pthread.h>

#include <linux/kernel.h>
#include <linux/list.h>

struct rw_semaphore {
    pthread_rwlock_t lock;
};

#define __RWSEM_INITIALIZER(name)                                                                            \
    {                                                                                                        \
        PTHREAD_RWLOCK_INITIALIZER                                                                           \
    }
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)

static inline void init_rwsem(struct rw_semaphore *sem)
{
    (void)pthread_rwlock_init(&sem->lock, NULL);
}

static inline void down_read(struct rw_semaphore *sem)
{
    (void)pthread_rwlock_rdlock(&sem->lock);
}

static inline void up_read(struct rw_semaphore *sem)
{
    (void)pthread_rwlock_unlock(&sem->lock);
}

static inline void down_write(struct rw_semaphore *sem)
{
    (void)pthread_rwlock_wrlock(&sem->lock);
}

static inline void up_write(struct rw_semaphore *sem)
{
    (void)pthread_rwlock_unlock(&sem->lock);
}

static inline int down_read_trylock(struct rw_semaphore *sem)
{
    return pthread_rwlock_tryrdlock(&sem->lock) == 0;
}

static inline int down_write_trylock(struct rw_semaphore *sem)
{
    return pthread_rwlock_trywrlock(&sem->lock) == 0;
}

static inline int down_read_killable(struct rw_semaphore *sem)
{
    down_read(sem);
    return 0;
}

static inline int down_write_killable(struct rw_semaphore *sem)
{
    down_write(sem);
    return 0;
}

#define down_read_interruptible down_read_killable
#define down_read_nested(sem, subclass) down_read(sem)
#define down_write_nested(sem, subclass) down_write(sem)

#endif
