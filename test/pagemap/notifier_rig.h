// SPDX-License-Identifier: BSD-2-Clause
/* A device with a file and a view of it, and three clients: of its addresses, of its pages, and of neither. */
#ifndef PAGEMAP_TEST_NOTIFIER_RIG_H
#define PAGEMAP_TEST_NOTIFIER_RIG_H

#include <errno.h>
#include <string.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 16 };

static struct file_rig rig;
static struct recorder by_address, by_page, elsewhere;
static char *view;

static inline uint64_t at(uint64_t index)
{
    return (uint64_t)(uintptr_t)view + index * PAGE_SIZE;
}

/* Pages 100 .. 115 at the indexes 0 .. 15, in a view. */
static inline void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    recorder_watch(&by_address, false, at(0), PAGES * PAGE_SIZE);
    recorder_watch(&by_page, true, 100 * PAGE_SIZE, PAGES * PAGE_SIZE);
    recorder_watch(&elsewhere, true, 200 * PAGE_SIZE, PAGES * PAGE_SIZE);
}

static inline void tear_down(void)
{
    CHECK_EQ(elsewhere.begun, 0);
    recorder_leave(&by_address);
    recorder_leave(&by_page);
    recorder_leave(&elsewhere);
    file_rig_tear_down(&rig);
}

static inline void check_absent(uint64_t index)
{
    struct page *page;

    CHECK_EQ(touch_read((void *)at(index), NULL), SIGBUS);
    CHECK_EQ(get_user_pages(at(index), 1, 0, &page), -EFAULT);
}

/* As on a stack that was used before: nothing of what it had may count. */
static inline struct mmu_notifier_range bracket(uint64_t start, uint64_t end)
{
    struct mmu_notifier_range range;

    memset(&range, 0xee, sizeof range);
    mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, NULL, start, end);
    return range;
}

#endif
