// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread for which there is no memory any more: it can't read, and each function says so, or does without, and holds
 * nothing. In a child, whose threads use up what there is, and may not map more.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pagemap/page/mapped.h"
#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

enum { THREADS = 20000, PAGES = 4 };

static struct file_rig rig;
static char *view;
static uint64_t was_refused, may_end, begun;

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics now;

    REQUIRE_EQ(pagemap_stats(&now, sizeof now), 0);
    return now;
}

static void must_not_be_called(const struct pagemap_holder *holder, void *context)
{
    (void)holder, (void)context;
    CHECK(false, "there is nobody to look");
}

static void check_answers(void)
{
    struct pagemap_cursor cursor;
    struct pagemap_entry entry;
    uint64_t no_memory = stats().refused_no_memory;
    struct page *page;

    CHECK(!pagemap_read_lock_held());
    CHECK_EQ(get_user_pages((uintptr_t)view, 1, 0, &page), -ENOMEM);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 1, 0, &page), -ENOMEM);
    CHECK_EQ(get_user_pages_fast_only((uintptr_t)view, 1, 0, &page), 0);
    CHECK_EQ(stats().refused_no_memory - no_memory, 3);
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, must_not_be_called, NULL), -ENOMEM);
    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), -ENOMEM);
    CHECK_EQ(pagemap_get_page(0), NULL);
    CHECK_EQ(get_dev_pagemap(0, NULL), NULL);
    CHECK_EQ(pm_hold(0), NULL);
    CHECK_EQ(find_get_page(&rig.file, 0), NULL);
    CHECK_EQ(page_index(pfn_to_page(0)), UINT64_MAX);
    CHECK_EQ(filemap_add_pages(&rig.file, 10, 10, 1), -ENOMEM);
    CHECK_EQ(filemap_replace_page(&rig.file, 0, pfn_to_page(0), pfn_to_page(10)), -ENOMEM);
    CHECK_EQ(map_mapping_range(&rig.file, 0, PAGES * PAGE_SIZE), -ENOMEM);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), -ENOMEM);
    CHECK_EQ(zone_device_page_init(pfn_to_page(20)), -ENODEV);
    CHECK(!pagemap_read_lock_held());
}

/* Reads, and stays; or is the first that cannot. */
static void *attach(void *context)
{
    int error;

    (void)context;
    refuse(SYS_mmap, ENOMEM);
    error = pagemap_read_lock();
    if (error == 0) {
        pagemap_read_unlock();
    } else {
        CHECK_EQ(error, -ENOMEM);
        check_answers();
        (void)__atomic_exchange_n(&was_refused, 1, __ATOMIC_SEQ_CST);
    }
    (void)__atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&may_end, __ATOMIC_SEQ_CST)) {
        (void)usleep(20000);
    }
    return NULL;
}

static void without_memory(void)
{
    static pthread_t threads[THREADS];
    uint64_t count = 0;
    pthread_attr_t attributes;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, 64 << 10);
    while (!__atomic_load_n(&was_refused, __ATOMIC_SEQ_CST) && count < THREADS) {
        if (pthread_create(&threads[count], &attributes, attach, NULL) != 0) {
            child_skip("not enough threads");
        }
        count++;
        while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < count) {
            (void)sched_yield();
        }
    }
    printf("%u threads\n", (unsigned)count);
    CHECK_EQ(was_refused, 1);
    (void)__atomic_exchange_n(&may_end, 1, __ATOMIC_SEQ_CST);
    for (uint64_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_EQ(page_count(pfn_to_page(0)), 1);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(attach, a_thread_without_memory)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs mappings itself");
    }
    child_run(without_memory);
}
