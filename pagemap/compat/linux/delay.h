// SPDX-License-Identifier: BSD-2-Clause
/* Waiting for time to pass. */
#ifndef PAGEMAP_COMPAT_LINUX_DELAY_H
#define PAGEMAP_COMPAT_LINUX_DELAY_H

#include <linux/jiffies.h>

void usleep_range(unsigned long least_us, unsigned long most_us);

#define msleep(ms) usleep_range((unsigned long)(ms)*1000, (unsigned long)(ms)*1000)
#define mdelay(ms) msleep(ms)
#define udelay(us) usleep_range(us, us)
#define ndelay(ns) usleep_range(1, 1)
#define ssleep(seconds) msleep((seconds)*1000)
#define fsleep(us) usleep_range(us, us)

#endif
