// SPDX-License-Identifier: BSD-2-Clause
/*
 * memory_failure() beside another one of the same page, and beside changes of its file. The begins and ends of read
 * sections are ours: all that comes in between comes there.
 */
#include <errno.h>

#include "test/pagemap/file_rig.h"

enum { PAGES = 4, BROKEN = 1, GOOD = 100, SECTIONS = 8 };

static struct file_rig rig;
static unsigned begins, ends; /* of sections until something comes; 0: nothing does */
static bool has_come;

int __real_pagemap_read_lock(void);
int __wrap_pagemap_read_lock(void);
void __real_pagemap_read_unlock(void);
void __wrap_pagemap_read_unlock(void);

static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    begins = ends = 0;
    has_come = false;
}

/* ---- another memory_failure(), which finds the page in no file and waits in its driver's op ---- */

static uint64_t is_inside, may_leave;
static struct waiter first;

static int decline(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages;
    if (flags == 0) {
        return -EOPNOTSUPP;
    }
    (void)__atomic_exchange_n(&is_inside, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&may_leave, __ATOMIC_SEQ_CST)) {
        (void)usleep(100);
    }
    return -EOPNOTSUPP;
}

static void fail_and_wait(void *context)
{
    (void)context;
    CHECK_EQ(memory_failure(BROKEN, MF_ACTION_REQUIRED), -EBUSY);
}

/* The first one comes back, and somebody puts the page into a file. */
static void end_the_first(void)
{
    int error;

    (void)__atomic_exchange_n(&may_leave, 1, __ATOMIC_SEQ_CST);
    waiter_join(&first);
    error = filemap_add_pages(&rig.file, BROKEN, BROKEN, 1);
    CHECK(error == 0 || error == -EHWPOISON);
    has_come = true;
}

int __wrap_pagemap_read_lock(void)
{
    if (begins > 0 && --begins == 0) {
        end_the_first();
    }
    return __real_pagemap_read_lock();
}

/* What it says it has dealt with is marked. */
TEST_CASE(poison_beside, another_that_has_nobody_to_tell)
{
    static const struct dev_pagemap_ops ops = {rig_page_free, NULL, decline, NULL};

    for (unsigned section = 1; section <= SECTIONS; section++) {
        int error;

        set_up();
        rig.pgmap.ops = &ops;
        is_inside = may_leave = 0;
        waiter_start(&first, fail_and_wait, NULL);
        while (!__atomic_load_n(&is_inside, __ATOMIC_SEQ_CST)) {
            (void)usleep(100);
        }
        begins = section;
        error = memory_failure(BROKEN, 0);
        begins = 0;
        if (!has_come) {
            end_the_first();
        }
        CHECK(error == 0 || error == -EBUSY);
        if (error == 0) {
            CHECK(PageHWPoison(pfn_to_page(BROKEN)), "section %u", section);
        }
        (void)unpoison_memory(BROKEN);
        file_rig_tear_down(&rig);
    }
}

TEST_CASE(poison_beside, each_page_is_counted_once)
{
    struct pagemap_statistics before, after;

    set_up();
    REQUIRE_EQ(pagemap_stats(&before, sizeof before), 0);
    CHECK_EQ(memory_failure(BROKEN, 0), -EBUSY);
    CHECK(!PageHWPoison(pfn_to_page(BROKEN)), "nobody was told");
    REQUIRE_EQ(filemap_add_pages(&rig.file, BROKEN, BROKEN, 1), 0);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(memory_failure(BROKEN, 0), 0);
        CHECK(PageHWPoison(pfn_to_page(BROKEN)));
    }
    REQUIRE_EQ(pagemap_stats(&after, sizeof after), 0);
    CHECK_EQ(after.memory_failures - before.memory_failures, 1);
    CHECK_EQ(unpoison_memory(BROKEN), 0);
    CHECK_EQ(unpoison_memory(BROKEN), -ENXIO);
    file_rig_tear_down(&rig);
}

/* ---- a good page in place of the broken one ---- */

static void replace_page(void)
{
    CHECK_EQ(filemap_replace_page(&rig.file, BROKEN, pfn_to_page(BROKEN), pfn_to_page(GOOD)), 0);
    has_come = true;
}

/* Where the file can be locked. */
void __wrap_pagemap_read_unlock(void)
{
    __real_pagemap_read_unlock();
    if (ends > 0 && --ends == 0 && !pagemap_read_lock_held() && pthread_mutex_trylock(&rig.file._lock) == 0) {
        (void)pthread_mutex_unlock(&rig.file._lock);
        replace_page();
    }
}

TEST_CASE(poison_beside, a_good_page_in_its_place_stays)
{
    for (unsigned section = 1; section <= SECTIONS; section++) {
        char *view;
        int error;

        set_up();
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
        view = file_rig_view(&rig, 0, PAGES);
        ends = section;
        error = memory_failure(BROKEN, 0);
        ends = 0;
        CHECK(error == 0 || (error == -EBUSY && has_come));
        if (!has_come) {
            replace_page();
            CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        }
        CHECK_EQ(touch_read(view + BROKEN * PAGE_SIZE, NULL), 0, "section %u", section);
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
        (void)unpoison_memory(BROKEN);
        file_rig_tear_down(&rig);
    }
}
