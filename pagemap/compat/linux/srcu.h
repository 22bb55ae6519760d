// SPDX-License-Identifier: BSD-2-Clause
/* Read sections in which a thread may wait. A wait for them takes as long as the longest. */
#ifndef PAGEMAP_COMPAT_LINUX_SRCU_H
#define PAGEMAP_COMPAT_LINUX_SRCU_H

#include <linux/rcupdate.h>
#include <linux/wait.h>

struct srcu_struct {
    spinlock_t lock;
    wait_queue_head_t idle;
    unsigned long readers[2];
    int current_index;
};

#define PM_SRCU_INITIALIZER(name)                                                                            \
    {                                                                                                        \
        __SPIN_LOCK_UNLOCKED(name), __WAIT_QUEUE_HEAD_INITIALIZER(name), {0, 0}, 0                           \
    }
#define DEFINE_SRCU(name) struct srcu_struct name = PM_SRCU_INITIALIZER(name)
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name = PM_SRCU_INITIALIZER(name)

int init_srcu_struct(struct srcu_struct *srcu);
void cleanup_srcu_struct(struct srcu_struct *srcu);
int srcu_read_lock(struct srcu_struct *srcu);
void srcu_read_unlock(struct srcu_struct *srcu, int index);
void synchronize_srcu(struct srcu_struct *srcu);

#define srcu_dereference(pointer, srcu) rcu_dereference(pointer)
#define srcu_barrier(srcu) synchronize_srcu(srcu)

#endif
