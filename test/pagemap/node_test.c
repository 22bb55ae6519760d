// SPDX-License-Identifier: BSD-2-Clause
/*
 * The node that a device's memory and its struct pages come from: what /proc/self/numa_maps says, also where there is
 * one node only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/huge_pool.h"

#define BYTES (4 * RIG_MB)

/* Whether the mapping that begins at `address` has the policy, and has a page from node 0. */
static bool says(const void *address, const char *policy)
{
    FILE *file = fopen("/proc/self/numa_maps", "re");
    char line[512], start[32];
    bool found = false;

    if (file == NULL) {
        TEST_SKIP("no /proc/self/numa_maps: a kernel without NUMA");
    }
    (void)snprintf(start, sizeof start, "%lx ", (unsigned long)(uintptr_t)address);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, start, strlen(start)) == 0) {
            line[strcspn(line, "\n")] = ' ';
            (void)printf("%s\n", line);
            found = strstr(line, policy) != NULL;
        }
    }
    (void)fclose(file);
    return found;
}

static bool prefers_node_0(const void *address)
{
    return says(address, " prefer:0 ");
}

static char *map_on(struct dev_pagemap *pgmap, int nid)
{
    char *linear = memremap_pages(pgmap, nid);

    REQUIRE(!IS_ERR(linear), "%ld", PTR_ERR(linear));
    return linear;
}

TEST_CASE(node, memory_and_struct_pages)
{
    struct range range = rig_range(RIG_GB, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = rig_plug(RIG_GB, BYTES);
    char *linear;

    warnings_count();
    linear = map_on(&pgmap, 0);
    *linear = 1;
    CHECK(prefers_node_0(linear));
    CHECK(says(linear, " N0=1 "));
    CHECK(prefers_node_0(pfn_to_page(PHYS_PFN(RIG_GB))));
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    (void)map_on(&pgmap, -1);
    CHECK(!prefers_node_0(pfn_to_page(PHYS_PFN(RIG_GB))));
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

TEST_CASE(node, there_is_none)
{
    struct range range = rig_range(RIG_GB, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = rig_plug(RIG_GB, BYTES);

    warnings_count();
    CHECK_EQ(PTR_ERR(memremap_pages(&pgmap, 1023)), -EINVAL);
    CHECK_EQ(PTR_ERR(memremap_pages(&pgmap, 1 << 20)), -EINVAL);
    CHECK_EQ(warnings_take(), 2);
    CHECK(rig_finds(PHYS_PFN(RIG_GB), NULL));
    rig_unplug(memory);
}

/*
 * Each range of a device; the pages of a file, in whatever view; struct pages in the device, from where its memory
 * is.
 */
TEST_CASE(node, all_ranges_views_and_altmaps)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 3 * BYTES);
    struct range ranges[] = {rig_range(RIG_GB, BYTES), rig_range(RIG_GB + 2 * BYTES, BYTES)};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 2);
    struct dev_pagemap altmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &ranges[0], 1);
    struct address_space file;
    struct page *page;
    char *view;

    warnings_count();
    (void)map_on(&many.pgmap, 0);
    CHECK(prefers_node_0(page_address(pfn_to_page(PHYS_PFN(ranges[1].start)))));
    CHECK(prefers_node_0(pfn_to_page(PHYS_PFN(ranges[1].start))));
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, PHYS_PFN(ranges[1].start), 8), 0);
    view = vm_mmap(&file, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    view[0] = 1;
    CHECK(prefers_node_0(view));
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);

    altmap.flags = PGMAP_ALTMAP_VALID;
    altmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(RIG_GB), .free = 64};
    (void)map_on(&altmap, 0);
    page = pagemap_get_page(PHYS_PFN(RIG_GB) + 64);
    REQUIRE_NE(page, NULL);
    CHECK(prefers_node_0(pfn_to_page(PHYS_PFN(RIG_GB))));
    put_page(page);
    CHECK_EQ(memunmap_pages(&altmap), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

static void check_imported(int fd)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_FD, .fd = fd};
    struct range range = rig_range(RIG_GB, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = NULL;
    char *linear;

    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    REQUIRE_EQ(pagemap_memory_plug(memory, RIG_GB), 0);
    linear = map_on(&pgmap, 0);
    *linear = 1;
    CHECK(prefers_node_0(linear));
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    (void)close(fd);
}

TEST_CASE(node, memory_of_a_descriptor)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    REQUIRE_GE(fd, 0);
    REQUIRE_EQ(ftruncate(fd, (off_t)BYTES), 0);
    check_imported(fd);
}

TEST_CASE(node, huge_pages)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_HUGETLB, .bytes = BYTES};
    int64_t added = huge_pool_add(2 * RIG_MB, 2);
    struct range range = rig_range(RIG_GB, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = NULL;
    char *linear;

    if (pagemap_memory_create(&options, &memory) != 0) {
        huge_pool_give_back(2 * RIG_MB, added);
        TEST_SKIP("no huge pages of 2 MiB in the pool (vm.nr_hugepages), and none to be had");
    }
    REQUIRE_EQ(pagemap_memory_plug(memory, RIG_GB), 0);
    linear = map_on(&pgmap, 0);
    *linear = 1;
    CHECK(prefers_node_0(linear));
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    huge_pool_give_back(2 * RIG_MB, added);
}
