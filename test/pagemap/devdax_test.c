// SPDX-License-Identifier: BSD-2-Clause
/*
 * Device-dax without such a device: /dev/zero, for which the system's files say what a device-dax would. The library
 * opens them by fopen(), which here is ours.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

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
        return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
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

/* What the system does not say as it does of device-dax is none. */
TEST_CASE(devdax, is_none)
{
    static const char *const texts[][2] = {
        {"0\n", "2097152\n"}, {"8388608\n", "0\n"}, {"\n", "2097152\n"}, {"8388608\n", "x\n"}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pagemap_memory *memory;

        size_text = texts[i][0];
        align_text = texts[i][1];
        CHECK_EQ(create(0, &memory), -ENODEV, "case %zu", i);
        CHECK_EQ(memory, NULL);
    }
}
