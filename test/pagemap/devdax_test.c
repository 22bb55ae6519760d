// SPDX-License-Identifier: BSD-2-Clause
/*
 * Device-dax without such a device: /dev/zero, for which the system's files say what a device-dax would. The library
 * opens them by fopen(), which here is ours.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"
#include "test/pagemap/rig.h"

static const char *size_text, *align_text;

/* For two files of the system; others are libc's. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
    const char *text = strstr(path, "/sys/dev/char/1:5/size") != NULL    ? size_text
                       : strstr(path, "/sys/dev/char/1:5/align") != NULL ? align_text
                                                                         : NULL;
    FILE *(*next)(const char *, const char *);

    if (text != NULL) {
        int fd = memfd_create("text", MFD_CLOEXEC); /* a file that is not closed is noticed */

        REQUIRE_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        REQUIRE_EQ(lseek(fd, 0, SEEK_SET), 0);
        return fdopen(fd, mode);
    }
    *(void **)&next = dlsym(RTLD_NEXT, "fopen");
    return next(path, mode);
}

static int create(uint64_t bytes, struct pagemap_memory **memory)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_DEVDAX, .path = "/dev/zero", .bytes = bytes};

    *memory = NULL;
    return pagemap_memory_create(&options, memory);
}

static void check_size(uint64_t bytes, int error)
{
    struct pagemap_memory *memory;

    CHECK_EQ(create(bytes, &memory), error, "%lu MiB", (unsigned long)(bytes / RIG_MB));
    if (memory != NULL) {
        CHECK_EQ(pagemap_memory_granule(memory), 2 * RIG_MB);
        CHECK(pagemap_memory_is_sync(memory), "it has no page cache");
        CHECK(memory->is_sealed, "it cannot be truncated");
        CHECK_EQ(pagemap_memory_plug(memory, 0), 0);
        CHECK_EQ(rig_try_map(0, (bytes == 0 ? 8 * RIG_MB : bytes) - 1), 0, "all of it");
        CHECK_EQ(rig_try_map(0, (bytes == 0 ? 8 * RIG_MB : bytes) + 2 * RIG_MB - 1), -ENXIO, "no more");
        rig_unplug(memory);
    }
}

/* In whole alignments, as many as there are. */
TEST_CASE(devdax, sizes)
{
    warnings_count();
    size_text = "8388608\n";
    align_text = "2097152\n";
    check_size(0, 0);
    for (uint64_t bytes = 2 * RIG_MB; bytes <= 8 * RIG_MB; bytes += 2 * RIG_MB) {
        check_size(bytes, 0);
    }
    check_size(10 * RIG_MB, -EINVAL);
    check_size(3 * RIG_MB, -EINVAL);
    check_size(4 * RIG_MB + PAGE_SIZE, -EINVAL);
}

/* Whether MADV_NOHUGEPAGE holds for what is at `address`, as the system has it. */
static bool has_no_huge_pages(const void *address)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    bool is_it = false, has_none = false;
    unsigned long start, end;
    char line[512];

    REQUIRE_NE(file, NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            is_it = start <= (uintptr_t)address && (uintptr_t)address < end;
        } else if (is_it && strncmp(line, "VmFlags:", 8) == 0) {
            has_none = strstr(line, " nh") != NULL;
        }
    }
    (void)fclose(file);
    return has_none;
}

/* A touch of device-dax is refused if a page of its alignment cannot be mapped: the linear map's, and a view's. */
TEST_CASE(devdax, its_pages_may_be_as_large_as_its_alignment)
{
    struct range range = rig_range(0, 8 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory;
    struct address_space file;
    char *view;

    size_text = "8388608\n";
    align_text = "2097152\n";
    REQUIRE_EQ(create(0, &memory), 0);
    REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 0, 512), 0);
    view = vm_mmap(&file, 2 * RIG_MB, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    CHECK(!has_no_huge_pages(page_address(pfn_to_page(0))));
    CHECK(!has_no_huge_pages(view));
    CHECK_EQ(vm_munmap(view, 2 * RIG_MB), 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

/* What the system does not say as it does of device-dax is none. */
TEST_CASE(devdax, is_none)
{
    static const char *const texts[][2] = {{"0\n", "2097152\n"}, {"8388608\n", "0\n"}, {"\n", "2097152\n"},
                                           {"8388608\n", "x\n"}, {NULL, "2097152\n"},  {"8388608\n", NULL}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pagemap_memory *memory;

        size_text = texts[i][0];
        align_text = texts[i][1];
        CHECK_EQ(create(0, &memory), -ENODEV, "case %zu", i);
        CHECK_EQ(memory, NULL);
    }
}

/* The second lowest: the lowest is what the memory had, below what was left open meanwhile. */
static int second_free(void)
{
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC), second = open("/dev/null", O_RDONLY | O_CLOEXEC);

    REQUIRE_GE(lowest, 0);
    REQUIRE_GT(second, lowest);
    (void)close(lowest);
    (void)close(second);
    return second;
}

/* Handed over, and a part of it. */
TEST_CASE(devdax, by_its_descriptor)
{
    static const struct {
        uint64_t offset, bytes, has;
    } cases[] = {{0, 0, 8 * RIG_MB},
                 {2 * RIG_MB, 0, 6 * RIG_MB},
                 {4 * RIG_MB, 2 * RIG_MB, 2 * RIG_MB},
                 {RIG_MB, 2 * RIG_MB, 0},
                 {2 * RIG_MB, RIG_MB, 0},
                 {6 * RIG_MB, 4 * RIG_MB, 0},
                 {6 * RIG_MB, 2 * RIG_MB, 2 * RIG_MB},
                 {8 * RIG_MB, 0, 0}};
    struct pagemap_memory_options options = {.kind = PAGEMAP_FD, .fd = open("/dev/zero", O_RDWR | O_CLOEXEC)};
    int before = second_free();

    size_text = "8388608\n";
    align_text = "2097152\n";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pagemap_memory *memory = NULL;

        options.offset = cases[i].offset;
        options.bytes = cases[i].bytes;
        CHECK_EQ(pagemap_memory_create(&options, &memory), cases[i].has > 0 ? 0 : -EINVAL, "case %zu", i);
        if (memory != NULL) {
            CHECK_EQ(pagemap_memory_bytes(memory), cases[i].has, "case %zu", i);
            CHECK_EQ(pagemap_memory_granule(memory), 2 * RIG_MB);
            CHECK_EQ(memory->offset, cases[i].offset);
            CHECK(memory->is_sync && memory->is_sealed);
            CHECK_EQ(memory->map_flags, MAP_SHARED);
            CHECK_STR_EQ(pagemap_memory_report(memory), "fd: nobody can shrink it, stores are durable");
            CHECK_EQ(pagemap_memory_destroy(memory), 0);
        }
        CHECK_EQ(second_free(), before, "case %zu", i);
    }
    (void)close(options.fd);
}
