// SPDX-License-Identifier: BSD-2-Clause
/* Time in ticks of a millisecond. */
#ifndef PAGEMAP_COMPAT_LINUX_JIFFIES_H
#define PAGEMAP_COMPAT_LINUX_JIFFIES_H

#include <limits.h>

#include <linux/atomic.h>
#include <linux/kernel.h>

#define HZ 1000
#define MAX_SCHEDULE_TIMEOUT LONG_MAX
#define jiffies pagemap_compat_jiffies()
#define jiffies_64 ((u64)pagemap_compat_jiffies())
#define get_jiffies_64() ((u64)pagemap_compat_jiffies())

unsigned long pagemap_compat_jiffies(void);

#define msecs_to_jiffies(ms) ((unsigned long)(ms))
#define usecs_to_jiffies(us) (((unsigned long)(us) + 999) / 1000)
#define jiffies_to_msecs(j) ((unsigned)(j))
#define jiffies_to_usecs(j) ((unsigned)(j)*1000)
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)

#endif
