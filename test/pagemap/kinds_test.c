// SPDX-License-Identifier: BSD-2-Clause
/* Files and views of each kind of memory that this machine has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/pagemap/file_rig.h"
#include "test/pagemap/huge_pool.h"

#define BYTES (4 * RIG_MB)

/* Huge pages of 2 MiB or 1 GiB, of which so many were added to the system's pool for this test. */
static uint64_t huge_bytes;
static int64_t huge_added;

/* Skips, with the reason, where the machine has none. */
static struct pagemap_memory *create(enum pagemap_memory_kind kind, const char *path)
{
    char message[160] = "";
    struct pagemap_memory_options options = {
        .kind = kind, .bytes = BYTES, .path = path, .message = message, .message_size = sizeof message};
    struct pagemap_memory *memory = NULL;
    int error;

    if (kind == PAGEMAP_HUGETLB) {
        options.huge_page_bytes = huge_bytes;
        options.bytes = huge_bytes > BYTES ? huge_bytes : BYTES;
        huge_added = huge_pool_add(huge_bytes, (int64_t)(options.bytes / huge_bytes));
    }
    error = pagemap_memory_create(&options, &memory);
    if (error != 0) {
        huge_pool_give_back(huge_bytes, huge_added);
        TEST_SKIP("%s (%s)", message, strerror(-error));
    }
    return memory;
}

/* Each 16th page, of the first ones. */
static void check_present(char *view, uint64_t first_absent, uint64_t nr_absent)
{
    for (uint64_t i = 0; i < BYTES / PAGE_SIZE; i += 16) {
        bool absent = i >= first_absent && i < first_absent + nr_absent;

        CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), absent ? SIGBUS : 0, "page %lu", (unsigned long)i);
        CHECK_EQ(touch_by_kernel(view + i * PAGE_SIZE), absent ? EFAULT : 0);
    }
}

/* Revoked and given back in parts, as small as the memory's own pages are. */
static void check_views(struct file_rig *rig, uint64_t granule_pages)
{
    const uint64_t last = range_len(&rig->range) / PAGE_SIZE - 1;
    struct page *page;
    char *view = file_rig_view(rig, 0, last + 1);

    (void)printf("%s, revoked by %s\n", pagemap_memory_report(rig->memory),
                 pagemap_view_revocation(view) == PAGEMAP_REVOKE_UFFD ? "userfaultfd" : "the overlay");
    check_present(view, 0, 0);
    CHECK_EQ(touch_write(view + 600 * PAGE_SIZE, 7), 0);
    unmap_mapping_pages(&rig->file, 600, 1, false);
    check_present(view, 600 / granule_pages * granule_pages, granule_pages);
    CHECK_EQ(touch_read(view + 600 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(get_user_pages((uintptr_t)view + 600 * PAGE_SIZE, 1, 0, &page), -EFAULT);
    if (granule_pages <= 600) {
        REQUIRE_EQ(get_user_pages((uintptr_t)view, 1, FOLL_WRITE, &page), 1);
        put_page(page);
    }
    CHECK_EQ(map_mapping_range(&rig->file, 600 * PAGE_SIZE, 1), 0);
    CHECK_EQ(view[600 * PAGE_SIZE], 7, "the data stays");
    CHECK_EQ(memory_failure(PHYS_PFN(rig->range.start) + last, 0), 0);
    check_present(view, last / granule_pages * granule_pages, granule_pages);
    CHECK_EQ(touch_read(view + last * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(vm_munmap(view, (last + 1) * PAGE_SIZE), 0);
}

static void check_kind(enum pagemap_memory_kind kind, const char *path, enum pagemap_revocation how)
{
    struct file_rig rig = {.memory = create(kind, path)};
    const uint64_t bytes = pagemap_memory_bytes(rig.memory);
    uint64_t granule_pages = pagemap_memory_granule(rig.memory) / PAGE_SIZE, first = PHYS_PFN(RIG_GB);

    warnings_count();
    touch_install();
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    REQUIRE_EQ(pagemap_memory_plug(rig.memory, RIG_GB), 0);
    rig.range = rig_range(RIG_GB, bytes);
    rig.pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &rig.range, 1);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    REQUIRE_EQ(address_space_init(&rig.file, "file", NULL), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 1, first, granule_pages), granule_pages > 1 ? -EINVAL : 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, first, bytes / PAGE_SIZE), 0);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, PAGE_SIZE / 2, PROT_READ, 0)), -EINVAL);
    check_views(&rig, granule_pages);
    file_rig_tear_down(&rig);
}

static void check_file(const char *folder, enum pagemap_revocation how)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof path, "%s/pagemap_test_XXXXXX", folder);
    fd = mkstemp(path);
    if (fd < 0) {
        TEST_SKIP("%s cannot be written", folder);
    }
    (void)close(fd);
    check_kind(PAGEMAP_FILE, path, how);
    (void)unlink(path);
}

TEST_CASE(kinds, memfd)
{
    check_kind(PAGEMAP_MEMFD, NULL, PAGEMAP_REVOKE_AUTO);
    check_kind(PAGEMAP_MEMFD, NULL, PAGEMAP_REVOKE_OVERLAY);
}

/* On a disk's file system userfaultfd knows nothing of the pages: the overlay. */
TEST_CASE(kinds, file)
{
    check_file("/tmp", PAGEMAP_REVOKE_AUTO);
    check_file("/tmp", PAGEMAP_REVOKE_OVERLAY);
}

TEST_CASE(kinds, file_in_memory)
{
    check_file("/dev/shm", PAGEMAP_REVOKE_AUTO);
}

static void check_huge(uint64_t bytes, enum pagemap_revocation how)
{
    huge_bytes = bytes;
    check_kind(PAGEMAP_HUGETLB, NULL, how);
    huge_pool_give_back(huge_bytes, huge_added);
}

TEST_CASE(kinds, hugetlb)
{
    check_huge(2 * RIG_MB, PAGEMAP_REVOKE_AUTO);
}

TEST_CASE(kinds, hugetlb_by_the_overlay)
{
    check_huge(2 * RIG_MB, PAGEMAP_REVOKE_OVERLAY);
}

TEST_CASE(kinds, hugetlb_of_1_gib)
{
    check_huge(RIG_GB, PAGEMAP_REVOKE_AUTO);
}

TEST_CASE(kinds, hugetlb_of_1_gib_by_the_overlay)
{
    check_huge(RIG_GB, PAGEMAP_REVOKE_OVERLAY);
}

/* Struct pages need memory that can be mapped page by page; a stretch is cut along huge pages, on import, too. */
TEST_CASE(kinds, hugetlb_has_no_altmap_and_is_exported_whole)
{
    struct range range = rig_range(RIG_GB, BYTES);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_memory_options options = {.kind = PAGEMAP_FD};
    struct pagemap_memory *memory, *imported = NULL;
    struct pagemap_export exported;

    huge_bytes = 2 * RIG_MB;
    memory = create(PAGEMAP_HUGETLB, NULL);
    REQUIRE_EQ(pagemap_memory_plug(memory, RIG_GB), 0);
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(RIG_GB), .free = 64};
    CHECK_EQ(rig_map(&pgmap), -ENXIO);
    pgmap.flags = 0;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pagemap_export(RIG_GB, PAGE_SIZE, 0, &exported), -EINVAL);
    REQUIRE_EQ(pagemap_export(RIG_GB + 2 * RIG_MB, 2 * RIG_MB, 0, &exported), 0);
    CHECK_EQ(exported.granule, 2 * RIG_MB);
    CHECK_EQ(exported.offset, 2 * RIG_MB);
    CHECK(exported.is_sealed);
    options.fd = exported.fd;
    options.offset = RIG_MB;
    CHECK_EQ(pagemap_memory_create(&options, &imported), -EINVAL);
    options.offset = exported.offset;
    REQUIRE_EQ(pagemap_memory_create(&options, &imported), 0);
    CHECK_EQ(pagemap_memory_granule(imported), 2 * RIG_MB);
    CHECK_EQ(pagemap_memory_destroy(imported), 0);
    (void)close(exported.fd);
    pagemap_export_end(&exported);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    huge_pool_give_back(huge_bytes, huge_added);
}

TEST_CASE(kinds, sizes_of_huge_pages_that_are_none)
{
    char message[160] = "";
    struct pagemap_memory_options options = {.kind = PAGEMAP_HUGETLB,
                                             .bytes = 3 * RIG_GB,
                                             .message = message,
                                             .message_size = sizeof message,
                                             .huge_page_bytes = 3 * RIG_GB};
    struct pagemap_memory *memory = NULL;

    CHECK_EQ(pagemap_memory_create(&options, &memory), -EINVAL);
    options.huge_page_bytes = PAGE_SIZE;
    CHECK_EQ(pagemap_memory_create(&options, &memory), -EINVAL);
    options.huge_page_bytes = 2 * RIG_GB;
    options.bytes = 3 * RIG_GB;
    CHECK_EQ(pagemap_memory_create(&options, &memory), -EINVAL);
    options.bytes = 4 * RIG_GB;
    CHECK_NE(pagemap_memory_create(&options, &memory), 0);
    CHECK_NE(strstr(message, "this system has no 2 huge pages of 2 GiB"), NULL, "%s", message);
    options.kind = PAGEMAP_MEMFD;
    CHECK_EQ(pagemap_memory_create(&options, &memory), -EINVAL);
}
