// SPDX-License-Identifier: BSD-2-Clause
/* Locks that spin in the kernel. Here a thread that waits sleeps, since the one that has the lock may be preempted. */
#ifndef PAGEMAP_COMPAT_LINUX_SPINLOCK_H
#define PAGEMAP_COMPAT_LINUX_SPINLOCK_H

#include <pthread.h>

#include <linux/kernel.h>

typedef struct spinlock {
    pthread_mutex_t lock;
} spinlock_t;

typedef struct {
    pthread_rwlock_t lock;
} rwlock_t;

typedef spinlock_t raw_spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name)                                                                           \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER                                                                            \
    }
#define DEFINE_SPINLOCK(name) spinlock_t name = __SPIN_LOCK_UNLOCKED(name)
#define DEFINE_RWLOCK(name) rwlock_t name = {PTHREAD_RWLOCK_INITIALIZER}

static inline void spin_lock_init(spinlock_t *lock)
{
    (void)pthread_mutex_init(&lock->lock, NULL);
}

static inline void spin_lock(spinlock_t *lock)
{
    (void)pthread_mutex_lock(&lock->lock);
}

static inline int spin_trylock(spinlock_t *lock)
{
    return pthread_mutex_trylock(&lock->lock) == 0;
}

static inline void spin_unlock(spinlock_t *lock)
{
    (void)pthread_mutex_unlock(&lock->lock);
}

static inline void rwlock_init(rwlock_t *lock)
{
    (void)pthread_rwlock_init(&lock->lock, NULL);
}

static inline void read_lock(rwlock_t *lock)
{
    (void)pthread_rwlock_rdlock(&lock->lock);
}

static inline void write_lock(rwlock_t *lock)
{
    (void)pthread_rwlock_wrlock(&lock->lock);
}

static inline void read_unlock(rwlock_t *lock)
{
    (void)pthread_rwlock_unlock(&lock->lock);
}

#define write_unlock read_unlock
#define spin_lock_irq spin_lock
#define spin_unlock_irq spin_unlock
#define spin_lock_bh spin_lock
#define spin_unlock_bh spin_unlock
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define spin_lock_irqsave(lock, flags) ((void)((flags) = 0), spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))
#define raw_spin_lock_init spin_lock_init
#define raw_spin_lock spin_lock
#define raw_spin_unlock spin_unlock
#define raw_spin_lock_irqsave spin_lock_irqsave
#define raw_spin_unlock_irqrestore spin_unlock_irqrestore
#define assert_spin_locked(lock) ((void)(lock))
#define local_irq_save(flags) ((void)((flags) = 0))
#define local_irq_restore(flags) ((void)(flags))
#define preempt_disable() ((void)0)
#define preempt_enable() ((void)0)
#define in_interrupt() 0
#define in_task() 1
#define irqs_disabled() 0

#endif
