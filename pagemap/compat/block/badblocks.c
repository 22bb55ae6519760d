// SPDX-License-Identifier: BSD-2-Clause
/* Lists of ranges of sectors, sorted, joined where they touch. */
#include <linux/badblocks.h>
#include <linux/slab.h>

enum { MOST_RANGES = 512 };

struct pm_bad_range {
    sector_t start, end; /* end exclusive */
};

static void free_ranges(void *bb)
{
    badblocks_exit(bb);
}

int devm_init_badblocks(struct device *dev, struct badblocks *bb)
{
    memset(bb, 0, sizeof *bb);
    spin_lock_init(&bb->lock);
    bb->dev = dev;
    bb->ranges = kcalloc(MOST_RANGES, sizeof *bb->ranges, GFP_KERNEL);
    return bb->ranges == NULL ? -ENOMEM : devm_add_action_or_reset(dev, free_ranges, bb);
}

void badblocks_exit(struct badblocks *bb)
{
    kfree(bb->ranges);
    bb->ranges = NULL;
    bb->count = 0;
}

int badblocks_check(struct badblocks *bb, sector_t start, int sectors, sector_t *first_bad, int *bad_sectors)
{
    sector_t end = start + (sector_t)sectors;
    int found = 0;

    spin_lock(&bb->lock);
    for (int i = 0; i < bb->count && found == 0; i++) {
        if (bb->ranges[i].start < end && start < bb->ranges[i].end) {
            *first_bad = bb->ranges[i].start;
            *bad_sectors = (int)(bb->ranges[i].end - bb->ranges[i].start);
            found = 1;
        }
    }
    spin_unlock(&bb->lock);
    return found;
}

/* pre: locked. */
static void remove_at(struct badblocks *bb, int i)
{
    bb->count--;
    memmove(&bb->ranges[i], &bb->ranges[i + 1], (size_t)(bb->count - i) * sizeof *bb->ranges);
}

static int insert_at(struct badblocks *bb, int i, sector_t start, sector_t end)
{
    if (bb->count == MOST_RANGES) {
        return 1;
    }
    memmove(&bb->ranges[i + 1], &bb->ranges[i], (size_t)(bb->count - i) * sizeof *bb->ranges);
    bb->ranges[i] = (struct pm_bad_range){start, end};
    bb->count++;
    return 0;
}

int badblocks_set(struct badblocks *bb, sector_t start, int sectors, int acknowledged)
{
    sector_t end = start + (sector_t)sectors;
    int i = 0, failed;

    (void)acknowledged;
    spin_lock(&bb->lock);
    while (i < bb->count && bb->ranges[i].end < start) {
        i++;
    }
    while (i < bb->count && bb->ranges[i].start <= end) {
        start = min(start, bb->ranges[i].start);
        end = max(end, bb->ranges[i].end);
        remove_at(bb, i);
    }
    failed = insert_at(bb, i, start, end);
    spin_unlock(&bb->lock);
    return failed;
}

int badblocks_clear(struct badblocks *bb, sector_t start, int sectors)
{
    sector_t end = start + (sector_t)sectors;
    int failed = 0;

    spin_lock(&bb->lock);
    for (int i = 0; i < bb->count;) {
        struct pm_bad_range range = bb->ranges[i];

        if (range.end <= start || end <= range.start) {
            i++;
            continue;
        }
        remove_at(bb, i);
        if (range.end > end) {
            failed |= insert_at(bb, i, end, range.end);
        }
        if (range.start < start) {
            failed |= insert_at(bb, i++, range.start, start);
        }
    }
    spin_unlock(&bb->lock);
    return failed ? -ENOSPC : 0;
}

ssize_t badblocks_show(struct badblocks *bb, char *page, int unack)
{
    int length = 0;

    (void)unack;
    spin_lock(&bb->lock);
    for (int i = 0; i < bb->count; i++) {
        length += scnprintf(page + length, PAGE_SIZE - (size_t)length, "%llu %llu\n", bb->ranges[i].start,
                            bb->ranges[i].end - bb->ranges[i].start);
    }
    spin_unlock(&bb->lock);
    return length;
}
