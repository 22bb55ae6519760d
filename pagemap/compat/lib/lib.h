// SPDX-License-Identifier: BSD-2-Clause
/* What waiting and threads of drivers share. */
#ifndef PAGEMAP_COMPAT_LIB_LIB_H
#define PAGEMAP_COMPAT_LIB_LIB_H

#include <linux/wait.h>

/*
 * Around the sleep of a thread on a queue, which kthread_stop() ends, so that the condition is looked at again. False:
 * it was asked to stop since its last sleep, and must not sleep now. Threads that are not the driver's always may.
 */
bool pm_kthread_sleeps(struct wait_queue_head *queue);
void pm_kthread_woke(void);

#endif
