// SPDX-License-Identifier: BSD-2-Clause
/* A device and a file of its pages. */
#ifndef PAGEMAP_TEST_FILE_RIG_H
#define PAGEMAP_TEST_FILE_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/pagemap/rig.h"
#include "test/pagemap/sleeps.h"
#include "test/pagemap/touch.h"

/* A device of 4 MiB at pfn 0, 1024 pages, and a file that has nothing yet. */
struct file_rig {
    struct pagemap_memory *memory;
    struct range range;
    struct dev_pagemap pgmap;
    struct address_space file;
};

static inline void file_rig_set_up(struct file_rig *rig, enum memory_type type)
{
    warnings_count();
    touch_install();
    rig->memory = rig_plug(0, 4 * RIG_MB);
    rig->range = rig_range(0, 4 * RIG_MB);
    rig->pgmap = rig_pgmap(type, &rig->range, 1);
    REQUIRE_EQ(rig_map(&rig->pgmap), 0);
    REQUIRE_EQ(address_space_init(&rig->file, "file", NULL), 0);
}

/* Before anything is in use: maps the device again, with compound pages of 2 MiB. */
static inline void file_rig_use_compound_pages(struct file_rig *rig)
{
    REQUIRE_EQ(memunmap_pages(&rig->pgmap), 0);
    rig->pgmap.vmemmap_shift = 9;
    REQUIRE_EQ(rig_map(&rig->pgmap), 0);
}

/* The views must be gone. Checks that nothing was left behind. */
static inline void file_rig_tear_down(struct file_rig *rig)
{
    CHECK_EQ(truncate_inode_pages(&rig->file, 0), 0);
    CHECK_EQ(mapping_nr_pages(&rig->file), 0);
    CHECK_EQ(address_space_destroy(&rig->file), 0);
    CHECK_EQ(pgmap_nr_references(&rig->pgmap), 0, "nothing leaked");
    CHECK_EQ(memunmap_pages(&rig->pgmap), 0);
    rig_unplug(rig->memory);
    CHECK_EQ(warnings_take(), 0);
    (void)pagemap_set_revocation(PAGEMAP_REVOKE_AUTO);
}

/* A view that can be written, of so many pages from `index` on. */
static inline char *file_rig_view(struct file_rig *rig, uint64_t index, uint64_t nr_pages)
{
    char *view = vm_mmap(&rig->file, nr_pages * PAGE_SIZE, PROT_READ | PROT_WRITE, index * PAGE_SIZE);

    REQUIRE(!IS_ERR(view), "error %ld", PTR_ERR(view));
    return view;
}

/* A thread that does one thing that waits. */
struct waiter {
    pthread_t thread;
    void (*wait)(void *context);
    void *context;
    int tid; /* 0: it has not begun */
    uint64_t is_done;
};

static inline void *waiter_run(void *context)
{
    struct waiter *waiter = context;

    __atomic_store_n(&waiter->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    waiter->wait(waiter->context);
    (void)__atomic_exchange_n(&waiter->is_done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static inline void waiter_start(struct waiter *waiter, void (*wait)(void *), void *context)
{
    waiter->wait = wait;
    waiter->context = context;
    waiter->tid = 0;
    waiter->is_done = 0;
    REQUIRE_EQ(pthread_create(&waiter->thread, NULL, waiter_run, waiter), 0);
}

/* Looks after so long, but not before the thread sleeps or is done: one that has not come to wait proves nothing. */
static inline bool waiter_is_done_after(struct waiter *waiter, unsigned microseconds)
{
    enum { LOOKS = 100000, LOOK_US = 100 };

    (void)usleep(microseconds);
    for (unsigned i = 0; i < LOOKS && __atomic_load_n(&waiter->is_done, __ATOMIC_SEQ_CST) == 0; i++) {
        if (thread_sleeps(__atomic_load_n(&waiter->tid, __ATOMIC_SEQ_CST))) {
            break;
        }
        (void)usleep(LOOK_US);
    }
    return __atomic_load_n(&waiter->is_done, __ATOMIC_SEQ_CST) != 0;
}

static inline void waiter_join(struct waiter *waiter)
{
    (void)pthread_join(waiter->thread, NULL);
    CHECK_EQ(waiter->is_done, 1);
}

#endif
