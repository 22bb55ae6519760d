// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the system may do to the mappings of device memory behind the library's back: huge pages, core dumps, locking of
 * all memory, forks in the wrong moment. What it may refuse: address_limit_test.c.
 */
#include <fcntl.h>
#include <string.h>

#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/sanitized.h"

#if !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25
#endif

/* ---- flags ---- */

static bool has_flag(const char *line, const char *flag)
{
    const char *at = strstr(line, flag);

    return at != NULL && at[-1] == ' ' && at[2] == ' ';
}

/* Calls look(flags) for each mapping of device memory. Returns how many. */
static unsigned each_device_mapping(void (*look)(const char *flags))
{
    FILE *file = fopen("/proc/self/smaps", "re");
    bool is_device = false;
    unsigned found = 0;
    char line[512];

    REQUIRE_NE(file, NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmFlags:", 8) == 0) {
            if (is_device) {
                look(line + 8);
                found++;
            }
            is_device = false;
        } else if (strstr(line, "/memfd:pagemap (deleted)") != NULL) {
            is_device = true;
        }
    }
    (void)fclose(file);
    return found;
}

static void look_default(const char *flags)
{
    CHECK(has_flag(flags, "nh"), "no huge pages: %s", flags);
    CHECK(has_flag(flags, "dd"), "not dumped: %s", flags);
}

static void look_dumped(const char *flags)
{
    CHECK(has_flag(flags, "nh"), "%s", flags);
    CHECK(!has_flag(flags, "dd"), "dumped: %s", flags);
}

/* Linear map, memmap in the device, and a view by each mechanism. */
static void check_flags(void (*look)(const char *flags))
{
    struct range range = rig_range(0, 256 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);
    struct address_space file;
    char *views[2];

    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.free = 2048};
    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 2048, 16), 0);
    for (unsigned i = 0; i < 2; i++) {
        (void)pagemap_set_revocation(i == 0 ? PAGEMAP_REVOKE_AUTO : PAGEMAP_REVOKE_OVERLAY);
        views[i] = vm_mmap(&file, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
        REQUIRE(!IS_ERR(views[i]));
    }
    CHECK_GE(each_device_mapping(look), 4u);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(vm_munmap(views[i], 16 * PAGE_SIZE), 0);
    }
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    (void)pagemap_set_revocation(PAGEMAP_REVOKE_AUTO);
}

TEST_CASE(address, no_huge_pages_and_no_dumps)
{
    check_flags(look_default);
    CHECK(!pagemap_set_core_dump(true));
    check_flags(look_dumped);
    CHECK(pagemap_set_core_dump(false));
}

/* ---- huge pages that somebody asks for ---- */

/* Tries all whole 2 MiB of it. */
static void collapse(char *start, size_t bytes)
{
    const uintptr_t huge = 2 * RIG_MB;
    uintptr_t at = ((uintptr_t)start + huge - 1) & ~(huge - 1);

    for (; at + huge <= (uintptr_t)start + bytes; at += huge) {
        CHECK_NE(madvise((void *)at, huge, MADV_COLLAPSE), 0, "memory of a device became a huge page");
    }
}

static void check_collapse(enum pagemap_revocation how)
{
    struct file_rig rig;
    char *view, *linear;

    if (pagemap_set_revocation(how) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    view = file_rig_view(&rig, 0, 1024);
    linear = page_address(pfn_to_page(0));
    memset(linear, 1, 4 * RIG_MB);
    unmap_mapping_pages(&rig.file, 0, 512, false);
    collapse(linear, 4 * RIG_MB);
    collapse(view, 4 * RIG_MB);
    for (unsigned i = 0; i < 1024; i++) {
        CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), i < 512 ? SIGBUS : 0, "page %u", i);
    }
    CHECK_EQ(vm_munmap(view, 4 * RIG_MB), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(address, nobody_makes_huge_pages_under_a_view)
{
    check_collapse(PAGEMAP_REVOKE_OVERLAY);
    check_collapse(PAGEMAP_REVOKE_UFFD);
}

/* ---- mlockall(MCL_FUTURE), as real-time programs call it ---- */

static void locked(void)
{
    struct range ranges[2] = {rig_range(0, 512 * RIG_MB), rig_range(RIG_GB, 512 * RIG_MB)};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[0], 1), other = pgmap;
    struct pagemap_memory *memory = rig_plug(0, 512 * RIG_MB), *second = rig_plug(RIG_GB, 512 * RIG_MB);

    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        child_skip("mlockall() is refused: RLIMIT_MEMLOCK");
    }
    if (rig_map(&pgmap) != 0) {
        child_skip("no address space may be locked: RLIMIT_MEMLOCK");
    }
    other.range = ranges[1];
    other.flags = PGMAP_ALTMAP_VALID;
    other.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(RIG_GB), .free = 4096};
    REQUIRE_EQ(rig_map(&other), 0);
    CHECK_EQ(pagemap_memory_resident(memory), 0);
    CHECK_EQ(pagemap_memory_resident(second), 0);
    *(char *)page_address(pfn_to_page(5)) = 1;
    CHECK_EQ(pagemap_memory_resident(memory), PAGE_SIZE);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(memunmap_pages(&other), 0);
}

TEST_CASE(address, locked_programs_have_sparse_devices)
{
    child_run(locked);
}

/* ---- forks at any moment ---- */

static struct file_rig fork_rig;
static uint64_t fork_stop;

static void *map_views(void *context)
{
    (void)context;
    while (__atomic_load_n(&fork_stop, __ATOMIC_SEQ_CST) == 0) {
        char *view = vm_mmap(&fork_rig.file, 64 * PAGE_SIZE, PROT_READ, 0);

        CHECK(!IS_ERR(view));
        unmap_mapping_pages(&fork_rig.file, 3, 1, false);
        (void)map_mapping_range(&fork_rig.file, 0, 0);
        CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    }
    return NULL;
}

/*
 * By file descriptor alone: the child of a threaded process. How many mappings of the device or of the empty file it
 * has.
 */
static unsigned mappings_in_child(void)
{
    static char text[1 << 16];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    unsigned found = 0;
    ssize_t got;

    while (length < sizeof text - 1 && (got = read(file, text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = 0;
    for (const char *at = text; (at = strstr(at, "/memfd:pagemap")) != NULL; at++) {
        found++;
    }
    return found;
}

TEST_CASE(address, no_child_has_a_view)
{
    pthread_t thread;

    file_rig_set_up(&fork_rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&fork_rig.file, 0, 0, 64), 0);
    fork_stop = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, map_views, NULL), 0);
    for (unsigned i = 0; i < (SANITIZED ? 50 : 300) * test_scale(); i++) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            _exit((int)mappings_in_child());
        }
        REQUIRE_GT(child, 0);
        REQUIRE_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 1 << 8, "the linear map, and no more, in child %u", i);
    }
    (void)__atomic_exchange_n(&fork_stop, 1, __ATOMIC_SEQ_CST);
    (void)pthread_join(thread, NULL);
    file_rig_tear_down(&fork_rig);
}
