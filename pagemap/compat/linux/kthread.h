// SPDX-License-Identifier: BSD-2-Clause
/* Threads of a driver. */
#ifndef PAGEMAP_COMPAT_LINUX_KTHREAD_H
#define PAGEMAP_COMPAT_LINUX_KTHREAD_H

#include <linux/err.h>
#include <linux/sched.h>

/*
 * Runs function(data) on a thread; ERR_PTR(-ENOMEM). The name is not used. kthread_stop() asks it to end and returns
 * its result.
 */
struct task_struct *pagemap_compat_kthread_run(int (*function)(void *data), void *data);
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);

#define kthread_run(function, data, ...) pagemap_compat_kthread_run(function, data)
#define wake_up_process(task) ((void)(task))

#endif
