// SPDX-License-Identifier: BSD-2-Clause
/* The kinds of memory, and plugging them in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/pagemap/child.h"
#include "test/pagemap/rig.h"

TEST_CASE(memory, bad_options)
{
    struct pagemap_memory *memory = NULL;
    struct pagemap_memory_options zero = {.kind = PAGEMAP_MEMFD};
    struct pagemap_memory_options odd = {.kind = PAGEMAP_MEMFD, .bytes = 4097};
    struct pagemap_memory_options path = {.kind = PAGEMAP_MEMFD, .bytes = 4096, .path = "x"};
    struct pagemap_memory_options none = {.kind = PAGEMAP_FILE, .bytes = 4096};
    struct pagemap_memory_options huge = {.kind = PAGEMAP_MEMFD, .bytes = PHYSMEM_END + 1 + 4096};
    struct pagemap_memory_options kind = {.kind = (enum pagemap_memory_kind)9, .bytes = 4096};
    struct pagemap_memory_options absent = {.kind = PAGEMAP_FILE, .path = "/nonexistent/pmem"};

    CHECK_EQ(pagemap_memory_create(NULL, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&zero, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&zero, NULL), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&odd, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&path, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&none, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&huge, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&kind, &memory), -EINVAL);
    CHECK_EQ(pagemap_memory_create(&absent, &memory), -ENOENT);
    CHECK_EQ(memory, NULL);
    CHECK_EQ(pagemap_memory_destroy(NULL), 0);
}

TEST_CASE(memory, plugging)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = 4 * RIG_MB};
    struct pagemap_memory *first = NULL, *second = NULL;

    REQUIRE_EQ(pagemap_memory_create(&options, &first), 0);
    REQUIRE_EQ(pagemap_memory_create(&options, &second), 0);
    CHECK_EQ(pagemap_memory_bytes(first), 4 * RIG_MB);
    CHECK_EQ(pagemap_memory_granule(first), 4096);
    CHECK_EQ(pagemap_memory_resident(first), 0, "sparse");
    CHECK(!pagemap_memory_is_sync(first));
    CHECK_STR_EQ(pagemap_memory_report(first), "memfd");
    CHECK_EQ(pagemap_memory_unplug(first), -EINVAL);
    CHECK_EQ(pagemap_memory_plug(first, 100), -EINVAL);
    CHECK_EQ(pagemap_memory_plug(first, PHYSMEM_END - 4095), -EINVAL);
    REQUIRE_EQ(pagemap_memory_plug(first, 8 * RIG_MB), 0);
    CHECK_EQ(pagemap_memory_plug(first, 80 * RIG_MB), -EBUSY);
    CHECK_EQ(pagemap_memory_plug(second, 12 * RIG_MB - 4096), -EEXIST);
    CHECK_EQ(pagemap_memory_plug(second, 4 * RIG_MB + 4096), -EEXIST);
    CHECK_EQ(pagemap_memory_plug(second, 12 * RIG_MB), 0);
    CHECK_EQ(pagemap_memory_destroy(second), -EBUSY);
    rig_unplug(first);
    rig_unplug(second);
}

/* What a kind gives: bytes written through the mapping are there, and in use it cannot be unplugged. */
static void map_and_write(struct pagemap_memory *memory)
{
    struct range range = rig_range(RIG_GB, pagemap_memory_bytes(memory));
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct page *page;

    REQUIRE_EQ(pagemap_memory_plug(memory, RIG_GB), 0);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pagemap_memory_unplug(memory), -EBUSY);
    page = pagemap_get_page(PHYS_PFN(range.end));
    REQUIRE_NE(page, NULL);
    memset(page_address(page), 0x5a, PAGE_SIZE);
    put_page(page);
    memunmap_pages(&pgmap);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pagemap_get_page(PHYS_PFN(range.end));
    REQUIRE_NE(page, NULL);
    CHECK_EQ(((unsigned char *)page_address(page))[4095], 0x5a, "the data stays");
    put_page(page);
    memunmap_pages(&pgmap);
    CHECK_EQ(pagemap_memory_unplug(memory), 0);
}

TEST_CASE(memory, memfd)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = 4 * RIG_MB};
    struct pagemap_memory *memory = NULL;

    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    map_and_write(memory);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
}

TEST_CASE(memory, file)
{
    char path[] = "/tmp/pagemap_test_XXXXXX";
    struct pagemap_memory_options options = {.kind = PAGEMAP_FILE, .bytes = 2 * RIG_MB, .path = path};
    struct pagemap_memory *memory = NULL;
    int fd = mkstemp(path);

    REQUIRE_GE(fd, 0);
    (void)close(fd);
    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    CHECK_NE(strstr(pagemap_memory_report(memory), "MAP_SYNC"), NULL, "%s", pagemap_memory_report(memory));
    map_and_write(memory);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    options.bytes = 0;
    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    CHECK_EQ(pagemap_memory_bytes(memory), 2 * RIG_MB, "as large as it is");
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    (void)unlink(path);
}

TEST_CASE(memory, hugetlb_or_its_absence_by_name)
{
    char message[160] = "";
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_HUGETLB, .bytes = 4 * RIG_MB, .message = message, .message_size = sizeof message};
    struct pagemap_memory *memory = NULL;
    int error = pagemap_memory_create(&options, &memory);

    if (error != 0) {
        CHECK_EQ(memory, NULL);
        CHECK_NE(strstr(message, "hugetlb: "), NULL, "message: %s", message);
        return;
    }
    CHECK_EQ(pagemap_memory_granule(memory), 2 * RIG_MB);
    map_and_write(memory);
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
}

TEST_CASE(memory, devdax_is_refused_by_name_for_another_file)
{
    char message[160] = "from before";
    struct pagemap_memory_options options = {
        .kind = PAGEMAP_DEVDAX, .path = "/dev/zero", .message = message, .message_size = sizeof message};
    struct pagemap_memory *memory = NULL;

    CHECK_EQ(pagemap_memory_create(&options, &memory), -ENODEV);
    CHECK_NE(strstr(message, "devdax"), NULL, "message: %s", message);
    options.path = "/dev/dax99.0";
    CHECK_EQ(pagemap_memory_create(&options, &memory), -ENOENT);
    CHECK_NE(strstr(message, "devdax: the system refused /dev/dax99.0"), NULL, "message: %s", message);
    options.path = NULL;
    CHECK_EQ(pagemap_memory_create(&options, &memory), -EINVAL);
    CHECK_STR_EQ(message, "");
}

/* Also one that is 0, where a daemon has closed its own. */
static void without_standard_input(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_DEVDAX, .path = "/dev/zero"};
    struct pagemap_memory *memory = NULL;
    int next;

    REQUIRE_EQ(close(STDIN_FILENO), 0);
    CHECK_EQ(pagemap_memory_create(&options, &memory), -ENODEV);
    next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(next, STDIN_FILENO, "the lowest one that is free");
    (void)close(next);
}

TEST_CASE(memory, failures_keep_no_descriptor)
{
    child_run(without_standard_input);
}
