// SPDX-License-Identifier: BSD-2-Clause
/* What a teardown leaves behind, and what it does not: marks of broken pages, descriptors, errno, altmap counts. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/eventfd.h>

#include "pagemap/holders/report.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

#define BYTES (2 * RIG_MB)

static long told;
static struct pagemap_holder last_told;

static void tell(const struct pagemap_holder *holder, void *context)
{
    (void)context;
    told++;
    last_told = *holder;
}

/* Before anything was ever mapped, and without any file. */
static void report_early(void)
{
    struct pagemap_memory *memory;
    struct range range = rig_range(0, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    warnings_count();
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, tell, NULL), 0);
    memory = rig_plug(0, BYTES);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, tell, NULL), 0);
    REQUIRE_NE(pagemap_get_page(0), NULL);
    CHECK_EQ(pagemap_report_holders(0, 0, tell, NULL), 1);
    CHECK_EQ(pm_report_pagemap(&pgmap, tell, NULL), 1);
    CHECK_EQ(told, 2);
    CHECK_EQ(last_told.kind, PAGEMAP_HELD_PAGE);
    CHECK_EQ(last_told.pfn, 0);
    CHECK_EQ(last_told.nr_pages, 1);
    put_page(pfn_to_page(0));
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(teardown_edges, reports_before_there_is_anything)
{
    child_run(report_early);
}

/* ---- descriptors ---- */

static void kill_with_descriptor_0(void)
{
    struct file_rig rig;
    uint64_t count = 0;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    REQUIRE_EQ(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), STDIN_FILENO);
    REQUIRE_EQ(kill_dev_pagemap_notify(&rig.pgmap, STDIN_FILENO), 0);
    CHECK_EQ(read(STDIN_FILENO, &count, sizeof count), (ssize_t)sizeof count, "it is told");
    CHECK_EQ(count, 1);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(teardown_edges, descriptor_0_is_told)
{
    child_run(kill_with_descriptor_0);
}

/* The put that is last may be a signal handler's; a full eventfd is told already, and a closed one is the driver's. */
static void tell_full_one(int flags)
{
    const uint64_t full = UINT64_MAX - 1;
    struct file_rig rig;
    struct page *page;
    int fd = eventfd(0, flags);

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(write(fd, &full, sizeof full), (ssize_t)sizeof full);
    page = pagemap_get_page(7);
    REQUIRE_NE(page, NULL);
    REQUIRE_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    errno = 123;
    put_page(page);
    CHECK_EQ(errno, 123);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    (void)close(fd);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(teardown_edges, telling_leaves_errno_and_waits_for_nobody)
{
    tell_full_one(EFD_CLOEXEC | EFD_NONBLOCK);
    tell_full_one(EFD_CLOEXEC);
}

/* What was called off is not told, also not by a later end that nobody asked to hear of. */
TEST_CASE(teardown_edges, a_descriptor_is_forgotten)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct file_rig rig;
    struct page *page;
    uint64_t count;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    page = pagemap_get_page(7);
    REQUIRE_NE(page, NULL);
    REQUIRE_EQ(kill_dev_pagemap_notify(&rig.pgmap, fd), 0);
    REQUIRE_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    put_page(page);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    CHECK_EQ(read(fd, &count, sizeof count), -1);
    (void)close(fd);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* ---- broken pages ---- */

enum { DEVICES = 3 };

/* Of three neighbours, each with its first and last page broken, the middle one goes and comes back. */
TEST_CASE(teardown_edges, marks_of_broken_pages_go_with_their_device)
{
    const uint64_t pages = BYTES / PAGE_SIZE;
    struct pagemap_memory *memory = rig_plug(0, DEVICES * BYTES);
    struct dev_pagemap pgmap[DEVICES];
    struct address_space file;

    warnings_count();
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    for (unsigned i = 0; i < DEVICES; i++) {
        struct range range = rig_range(i * BYTES, BYTES);

        pgmap[i] = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
        REQUIRE_EQ(rig_map(&pgmap[i]), 0);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        REQUIRE_EQ(filemap_add_pages(&file, i * pages, i * pages, pages), 0);
        REQUIRE_EQ(memory_failure(i * pages, 0), 0);
        REQUIRE_EQ(memory_failure((i + 1) * pages - 1, 0), 0);
    }
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap[1]), 0);
    REQUIRE_EQ(rig_map(&pgmap[1]), 0);
    for (unsigned i = 0; i < DEVICES; i++) {
        int error = i == 1 ? -ENXIO : 0;

        CHECK_EQ(unpoison_memory(i * pages), error, "device %u", i);
        CHECK_EQ(unpoison_memory((i + 1) * pages - 1), error, "device %u", i);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        CHECK_EQ(memunmap_pages(&pgmap[i]), 0);
    }
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* ---- the altmap's counts ---- */

/* They are the library's: set when it is mapped, and of no blocks when it is not. */
TEST_CASE(teardown_edges, counts_of_the_altmap)
{
    const struct vmem_altmap given = {.base_pfn = 0, .reserve = 1, .free = 200, .alloc = 77, .align = 88};
    struct pagemap_memory *memory = rig_plug(0, BYTES);
    struct range range = rig_range(0, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct dev_pagemap *held;
    uint64_t aligned;

    warnings_count();
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = given;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_GE(pgmap.altmap.alloc, BYTES / PAGE_SIZE * sizeof(struct page) / PAGE_SIZE);
    CHECK_LT(pgmap.altmap.alloc, 77);
    CHECK_LT(pgmap.altmap.align, 88);
    aligned = pgmap.altmap.align;
    held = get_dev_pagemap(500, NULL);
    REQUIRE_EQ(held, &pgmap);
    CHECK_EQ(memunmap_pages_timeout(&pgmap, 0), -ETIMEDOUT);
    CHECK_EQ(warnings_take(), 0, "it has its blocks still, as it should");
    put_dev_pagemap(held);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(pgmap.altmap.alloc, 0);
    for (unsigned step = 1;; step++) {
        int error;

        pgmap.altmap = given;
        (void)pm_fault_arm(step);
        error = rig_map(&pgmap);
        if (pm_fault_arm(0) != 0) {
            CHECK_EQ(error, 0);
            break;
        }
        CHECK_EQ(error, -ENOMEM, "step %u", step);
        CHECK(pgmap.altmap.alloc == 0 || pgmap.altmap.alloc == 77, "step %u: %lu", step,
              (unsigned long)pgmap.altmap.alloc);
        CHECK(pgmap.altmap.align == 0 || pgmap.altmap.align == 88, "step %u: %lu", step,
              (unsigned long)pgmap.altmap.align);
    }
    CHECK_EQ(pgmap.altmap.align, aligned);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* ---- nothing is kept ---- */

/* A device that cannot be mapped, for want of memory at each step, and one that can. */
static void fail_and_succeed(struct dev_pagemap *pgmap)
{
    for (unsigned step = 1;; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = rig_map(pgmap);
        if (pm_fault_arm(0) != 0) {
            break;
        }
        CHECK_EQ(error, -ENOMEM, "step %u", step);
    }
    CHECK_EQ(memunmap_pages(pgmap), 0);
    pagemap_barrier();
}

TEST_CASE(teardown_edges, no_memory_is_lost)
{
    struct range ranges[2] = {rig_range(0, BYTES), rig_range(2 * BYTES, BYTES)};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 2);
    struct pagemap_memory *memory = rig_plug(0, 4 * BYTES);
    size_t before;

    warnings_count();
    for (unsigned i = 0; i < 5; i++) {
        fail_and_succeed(&many.pgmap);
    }
    before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 50; i++) {
        fail_and_succeed(&many.pgmap);
    }
    CHECK_LT(mallinfo2().uordblks, before + 4096);
    rig_unplug(memory);
}
