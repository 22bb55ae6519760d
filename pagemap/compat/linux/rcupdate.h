// SPDX-License-Identifier: BSD-2-Clause
/* Read sections: those of pagemap. */
#ifndef PAGEMAP_COMPAT_LINUX_RCUPDATE_H
#define PAGEMAP_COMPAT_LINUX_RCUPDATE_H

#include "pagemap/pagemap.h"
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

/*
 * Wait for nothing, and may be called in read sections: func(head) runs on a thread of ours, the oldest first. As long
 * as the system refuses a thread they wait for readers themselves and run what there is, unless another thread is at
 * it, which runs it then: so their caller must have no lock that readers or functions need. In read sections it is
 * left to the next call.
 */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void pagemap_compat_kfree_rcu(struct rcu_head *head, size_t offset);
void synchronize_rcu(void);
/* Until the functions of all that was queued before have returned. Not in such a function, nor in a read section. */
void rcu_barrier(void);

static inline void rcu_read_lock(void)
{
    (void)pagemap_read_lock();
}

static inline void rcu_read_unlock(void)
{
    pagemap_read_unlock();
}

#define rcu_read_lock_held() pagemap_read_lock_held()
#define rcu_dereference(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)
#define rcu_dereference_check(pointer, condition) rcu_dereference(pointer)
#define rcu_dereference_protected(pointer, condition) rcu_dereference(pointer)
#define rcu_dereference_raw(pointer) rcu_dereference(pointer)
#define rcu_access_pointer(pointer) rcu_dereference(pointer)
#define rcu_assign_pointer(pointer, value) __atomic_store_n(&(pointer), value, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(pointer, value) rcu_assign_pointer(pointer, value)
#define kfree_rcu(pointer, member)                                                                           \
    ({                                                                                                       \
        __typeof__(pointer) freed_ = (pointer);                                                              \
        _Static_assert(offsetof(__typeof__(*(pointer)), member) < 4096, "the head is too far behind");       \
        if (freed_ != NULL) {                                                                                \
            pagemap_compat_kfree_rcu(&freed_->member, offsetof(__typeof__(*(pointer)), member));             \
        }                                                                                                    \
    })
#define synchronize_rcu_expedited() synchronize_rcu()

#endif
