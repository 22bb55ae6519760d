// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the system refuses: membarrier(2), userfaultfd(2), locked memory, file descriptors, mappings. Each in a child,
 * by a seccomp filter or a limit, so that this process does not use the library at all.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pagemap/export.h"
#include "pagemap/percpu_ref/restart.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/mapped.h"
#include "test/pagemap/refuse.h"

static void drop_privileges(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    REQUIRE_EQ(syscall(SYS_capset, &header, none), 0);
}

/* The view works, is revoked in part, and works again. */
static void check_view(struct file_rig *rig, char *view)
{
    char *page = view + 3 * PAGE_SIZE;
    struct page *pinned;

    CHECK_EQ(touch_write(page, 9), 0);
    unmap_mapping_pages(&rig->file, 3, 1, false);
    CHECK_EQ(touch_read(page, NULL), SIGBUS);
    CHECK_EQ(touch_by_kernel(page), EFAULT);
    CHECK_EQ(touch_read(page - PAGE_SIZE, NULL), 0);
    CHECK_EQ(pin_user_pages((uintptr_t)page, 1, 0, &pinned), -EFAULT);
    CHECK_EQ(map_mapping_range(&rig->file, 0, 0), 0);
    CHECK_EQ(*page, 9);
    REQUIRE_EQ(pin_user_pages((uintptr_t)page, 1, 0, &pinned), 1);
    unpin_user_page(pinned);
}

/* A device and a file with 64 pages, viewed, checked, and taken down. Returns how it was revoked. */
static enum pagemap_revocation whole_life(void)
{
    enum pagemap_revocation how;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    how = pagemap_view_revocation(view);
    check_view(&rig, view);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
    return how;
}

/* ---- membarrier(2) ---- */

static void without_membarrier(void)
{
    refuse(SYS_membarrier, EPERM);
    (void)whole_life();
}

/* The first test: a process that used the library counts on what it found then. */
TEST_CASE(refused, membarrier_from_the_start_is_not_needed)
{
    child_run(without_membarrier);
}

/* A reader whose sections have come to rely on membarrier(2): after so many of them they do. */
static uint64_t has_read;

static void *read_often(void *context)
{
    (void)context;
    for (unsigned i = 0; i < 100000; i++) {
        CHECK(!rig_finds(i % 1024, NULL));
    }
    (void)__atomic_exchange_n(&has_read, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        (void)pause();
    }
    return NULL;
}

static void start_reader(void)
{
    pthread_t thread;

    REQUIRE_EQ(pthread_create(&thread, NULL, read_often, NULL), 0);
    while (__atomic_load_n(&has_read, __ATOMIC_SEQ_CST) == 0) {
        (void)usleep(100);
    }
}

/*
 * Grace periods end as before. What cannot be had any more is the end of counting by restartable sequences: a kill says
 * so, and takes nothing away.
 */
static void membarrier_forbidden(void)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    page = pagemap_get_page(100);
    REQUIRE_NE(page, NULL);
    start_reader();
    refuse(SYS_membarrier, EPERM);

    CHECK_EQ(pagemap_synchronize(), 0);
    CHECK_EQ(pagemap_barrier(), 0);
    check_view(&rig, view);
    CHECK(rig_finds(5, &rig.pgmap));
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(address_space_destroy(&rig.file), 0);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(page_count(page), 2);
    put_page(page);
    if (pm_restart_is_used) {
        CHECK_EQ(memunmap_pages(&rig.pgmap), -EPERM);
        CHECK_EQ(kill_dev_pagemap(&rig.pgmap), -EPERM, "it will not end");
        CHECK_GE(warnings_take(), 2);
        CHECK(rig_finds(5, &rig.pgmap), "and is there, as before");
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
        CHECK_EQ(rig_map(&rig.pgmap), -EINVAL);
        CHECK_EQ(pagemap_memory_unplug(rig.memory), -EBUSY);
    } else {
        CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
        CHECK_EQ(pagemap_memory_unplug(rig.memory), 0);
    }
}

TEST_CASE(refused, membarrier_later_keeps_restartable_counts_alive)
{
    long commands = syscall(SYS_membarrier, 0, 0, 0); /* query */

    if (commands <= 0) {
        TEST_SKIP("there is no membarrier(2) to forbid");
    }
    child_run(membarrier_forbidden);
}

/*
 * What fails for an ordinary reason does so now as before: nobody saw what it made, and no grace period is needed to
 * undo it.
 */
static void ordinary_errors(void)
{
    struct range elsewhere = rig_range(RIG_GB, 2 * RIG_MB),
                 two[2] = {elsewhere, {3 * RIG_GB + 3, 3 * RIG_GB + 4}};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, two, 2);
    struct dev_pagemap small_altmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &elsewhere, 1);
    struct pagemap_memory *memory;
    struct percpu_ref ref;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    start_reader();
    refuse(SYS_membarrier, EPERM);
    (void)alarm(20); /* instead of never */
    small_altmap.flags = PGMAP_ALTMAP_VALID;
    small_altmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(RIG_GB), .free = 1};
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(rig_try_map(3 * RIG_GB + 4096, 3 * RIG_GB + 8191), -EINVAL);
        CHECK_EQ(rig_try_map(0, 2 * RIG_MB - 1), -ENOMEM, "a conflict");
        CHECK_EQ(rig_try_map(RIG_GB, RIG_GB + 2 * RIG_MB - 1), -ENXIO, "nothing plugged in");
    }
    memory = rig_plug(RIG_GB, 2 * RIG_MB);
    CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "the second range");
    CHECK_EQ(rig_map(&small_altmap), -ENOMEM);
    for (unsigned step = 1;; step++) {
        struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &elsewhere, 1);

        (void)pm_fault_arm(step);
        if (rig_map(&pgmap) == 0) {
            break; /* and stays: it cannot be killed */
        }
        CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    }
    (void)pm_fault_arm(0);
    CHECK_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    percpu_ref_kill(&ref);
    percpu_ref_switch_to_atomic_sync(&ref);
    percpu_ref_exit(&ref);
    CHECK_EQ(pagemap_memory_unplug(memory), -EBUSY);
}

TEST_CASE(refused, membarrier_later_leaves_ordinary_errors_as_they_are)
{
    if (syscall(SYS_membarrier, 0, 0, 0) <= 0) {
        TEST_SKIP("there is no membarrier(2) to forbid");
    }
    child_run(ordinary_errors);
}

/* ---- userfaultfd(2), memory to be locked, file descriptors ---- */

static void without_userfaultfd(int error, const char *missing)
{
    refuse(SYS_userfaultfd, error);
    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_UFFD), -EOPNOTSUPP);
    CHECK_NE(strstr(pagemap_revocation_report(), missing), NULL, "%s", pagemap_revocation_report());
    CHECK_EQ(whole_life(), PAGEMAP_REVOKE_OVERLAY);
}

static void userfaultfd_forbidden(void)
{
    without_userfaultfd(EPERM, "overlay: this system lacks the permission for userfaultfd(2)");
}

static void userfaultfd_unknown(void)
{
    without_userfaultfd(ENOSYS, "overlay: this system lacks userfaultfd(2)");
}

TEST_CASE(refused, userfaultfd_leaves_the_overlay)
{
    child_run(userfaultfd_forbidden);
    child_run(userfaultfd_unknown);
}

static void need_userfaultfd(void)
{
    if (pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) != 0) {
        child_skip(pagemap_revocation_report());
    }
}

/* Small views by userfaultfd, larger ones by the overlay, of the same file; and what was locked can be locked again. */
static void little_locked_memory(void)
{
    struct file_rig rig;
    char *small, *large;

    need_userfaultfd();
    drop_privileges();
    limit(RLIMIT_MEMLOCK, 16 * PAGE_SIZE);
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    for (unsigned i = 0; i < 3; i++) {
        small = file_rig_view(&rig, 0, 8);
        large = file_rig_view(&rig, 0, 64);
        CHECK_EQ(pagemap_view_revocation(small), PAGEMAP_REVOKE_UFFD);
        CHECK_EQ(pagemap_view_revocation(large), PAGEMAP_REVOKE_OVERLAY);
        CHECK_NE(strstr(pagemap_revocation_report(), "RLIMIT_MEMLOCK"), NULL, "%s",
                 pagemap_revocation_report());
        check_view(&rig, large);
        check_view(&rig, small);
        CHECK_EQ(vm_munmap(small, 8 * PAGE_SIZE), 0);
        CHECK_EQ(vm_munmap(large, 64 * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(refused, locked_memory_leaves_the_overlay_to_large_views)
{
    child_run(little_locked_memory);
}

/* What could not be opened once is opened later. */
static void no_descriptors(void)
{
    struct file_rig rig;
    struct rlimit before;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    REQUIRE_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit(RLIMIT_NOFILE, 3);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, 64 * PAGE_SIZE, PROT_READ, 0)), -ENOMEM);
    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_UFFD), -EOPNOTSUPP);
    CHECK_NE(strstr(pagemap_revocation_report(), "descriptor"), NULL, "%s", pagemap_revocation_report());
    REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_UFFD), 0);
    view = file_rig_view(&rig, 0, 64);
    CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_UFFD);
    check_view(&rig, view);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(refused, descriptors_that_ran_out_come_back)
{
    child_run(need_userfaultfd); /* else this is skipped */
    child_run(no_descriptors);
}

/* A daemon that has closed its own: 0 is a descriptor like others. */
static void no_standard_input(void)
{
    struct pagemap_export exported;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(close(STDIN_FILENO), 0);
    REQUIRE_EQ(pagemap_export(0, 16 * PAGE_SIZE, 0, &exported), 0);
    CHECK_EQ(exported.fd, STDIN_FILENO, "the lowest one that is free");
    CHECK_EQ(exported.bytes, 16 * PAGE_SIZE);
    CHECK_EQ(close(exported.fd), 0);
    pagemap_export_end(&exported);
    file_rig_tear_down(&rig);
    (void)whole_life(); /* its memory is 0 */
}

TEST_CASE(refused, standard_input_is_not_needed)
{
    child_run(no_standard_input);
}

/* ---- mappings ---- */

/* Revoking and taking down do without; what needs one fails as a whole. */
static void no_mappings(void)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap other = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory;
    struct file_rig rig;
    char *view;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    memory = rig_plug(RIG_GB, 2 * RIG_MB);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 100, 100, 1), 0);
    refuse(SYS_mmap, ENOMEM);

    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_NE(touch_read(view + 3 * PAGE_SIZE, NULL), 0, "revoked all the same");
    CHECK_NE(touch_read(view, NULL), 0, "and so is the rest of the view");
    CHECK_EQ(touch_by_kernel(view), EFAULT);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), -ENOMEM);
    CHECK_NE(touch_read(view, NULL), 0);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, 64 * PAGE_SIZE, PROT_READ, 0)), -ENOMEM);
    CHECK_EQ(rig_map(&other), -ENOMEM);
    CHECK(rig_finds(PHYS_PFN(range.start), NULL));
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}

TEST_CASE(refused, mappings_that_ran_out_stop_no_teardown)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    TEST_SKIP("the sanitizer needs mappings itself");
#endif
    child_run(no_mappings);
}

/* The first device, with more and more left of it: whole, or not at all. */
static void little_address_space(void)
{
    const rlim_t all = (rlim_t)1 << 48;
    const uint64_t pfn = PHYS_PFN(RIG_GB) + 5;
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    unsigned refusals = 0;

    warnings_count();
    for (rlim_t left = PAGE_SIZE; left < all; left *= 2) {
        limit(RLIMIT_AS, mapped_bytes() + left);
        if (rig_map(&pgmap) == 0) {
            break;
        }
        CHECK(rig_finds(pfn, NULL), "refused with %lu bytes left", (unsigned long)left);
        refusals++;
    }
    limit(RLIMIT_AS, RLIM_INFINITY);
    CHECK_GE(refusals, 10u);
    CHECK_GE(mapped_bytes(), (PHYSMEM_END >> PAGE_SHIFT) * sizeof(struct page), "what is mapped is reserved");
    REQUIRE(rig_finds(pfn, &pgmap));
    memset(page_address(pfn_to_page(pfn)), 1, PAGE_SIZE);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

TEST_CASE(refused, address_space_for_the_first_device)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    TEST_SKIP("the sanitizer needs address space itself");
#endif
    child_run(little_address_space);
}
