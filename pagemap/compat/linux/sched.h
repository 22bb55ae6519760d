// SPDX-License-Identifier: BSD-2-Clause
/* Tasks: threads of this process, which is the only one. */
#ifndef PAGEMAP_COMPAT_LINUX_SCHED_H
#define PAGEMAP_COMPAT_LINUX_SCHED_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct task_struct {
    char comm[16];
    struct mm_struct *mm;
    int pid;
};

struct task_struct *pagemap_compat_current(void);
#define current pagemap_compat_current()

#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
/* Sleeps for a moment, and not until it is woken: the caller looks again. */
void schedule(void);
#define signal_pending(task) ((void)(task), false)
#define fatal_signal_pending(task) ((void)(task), false)
#define capable(capability) true
#define memalloc_nofs_save() 0u
#define memalloc_nofs_restore(flags) ((void)(flags))
#define memalloc_noio_save() 0u
#define memalloc_noio_restore(flags) ((void)(flags))

#endif
