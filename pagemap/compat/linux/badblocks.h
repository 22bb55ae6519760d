// SPDX-License-Identifier: BSD-2-Clause
/* Lists of sectors that cannot be read. */
#ifndef PAGEMAP_COMPAT_LINUX_BADBLOCKS_H
#define PAGEMAP_COMPAT_LINUX_BADBLOCKS_H

#include <linux/device.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct badblocks {
    struct device *dev;
    int count; /* of ranges; -1: badblocks are off */
    int shift;
    struct pm_bad_range *ranges;
    spinlock_t lock;
};

int badblocks_check(struct badblocks *bb, sector_t start, int sectors, sector_t *first_bad, int *bad_sectors);
int badblocks_set(struct badblocks *bb, sector_t start, int sectors, int acknowledged);
int badblocks_clear(struct badblocks *bb, sector_t start, int sectors);
int devm_init_badblocks(struct device *dev, struct badblocks *bb);
void badblocks_exit(struct badblocks *bb);
ssize_t badblocks_show(struct badblocks *bb, char *page, int unack);

#endif
