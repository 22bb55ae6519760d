// SPDX-License-Identifier: BSD-2-Clause
/* What the system may refuse: mappings, at vm.max_map_count, and memory. */
#include <errno.h>
#include <stdlib.h>

#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

/* ---- at vm.max_map_count ---- */

/* Until there are none left. */
static void use_up_mappings(void)
{
    (void)split_to_the_limit();
    for (unsigned i = 0; mmap(NULL, PAGE_SIZE, i % 2 == 0 ? PROT_READ : PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
         i++) {
    }
}

enum { LIMIT_VIEWS = 3, LIMIT_DEVICES = 3 };

/* Devices side by side in one memory, and views side by side of one file: nothing that the system joins. */
static void at_the_limit(void)
{
    struct pagemap_memory *memory;
    struct dev_pagemap pgmap[LIMIT_DEVICES];
    char *linear[LIMIT_DEVICES], *view[LIMIT_VIEWS];
    struct address_space file;

    warnings_count();
    touch_install();
    memory = rig_plug(0, LIMIT_DEVICES * 2 * RIG_MB);
    for (unsigned i = LIMIT_DEVICES; i-- > 0;) {
        struct range range = rig_range(i * 2 * RIG_MB, 2 * RIG_MB);

        pgmap[i] = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
        linear[i] = memremap_pages(&pgmap[i], -1);
        REQUIRE(!IS_ERR(linear[i]));
    }
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 0, 512), 0);
    for (unsigned i = LIMIT_VIEWS; i-- > 0;) {
        view[i] = vm_mmap(&file, PAGE_SIZE, PROT_READ | PROT_WRITE, i * PAGE_SIZE);
        REQUIRE(!IS_ERR(view[i]));
    }
    use_up_mappings();
    CHECK_EQ(vm_munmap(view[1], PAGE_SIZE), 0);
    CHECK_NE(touch_write(view[1], 1), 0, "an ended view");
    CHECK_EQ(touch_read(view[0], NULL), 0);
    CHECK_EQ(touch_read(view[2], NULL), 0);
    CHECK_EQ(memunmap_pages(&pgmap[1]), 0);
    CHECK_NE(touch_write(linear[1], 1), 0, "the linear map of a device that is gone");
    CHECK_EQ(touch_write(linear[0], 1), 0);
    CHECK_EQ(touch_write(linear[2], 1), 0);
    CHECK_EQ(vm_munmap(view[0], PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(view[2], PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap[0]), 0);
    CHECK_EQ(memunmap_pages(&pgmap[2]), 0);
    CHECK_NE(touch_read(linear[0], NULL), 0);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(pagemap_memory_unplug(memory), 0);
}

static void at_the_limit_by_overlay(void)
{
    CHECK_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    at_the_limit();
}

TEST_CASE(address, no_access_is_left_at_the_limit_of_mappings)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs mappings itself");
    }
    child_run(at_the_limit_by_overlay);
    child_run(at_the_limit);
}

/* Revoking every other page of an overlay, which splits, and goes on when there is nothing left to split with. */
static void revoke_at_the_limit(void)
{
    struct file_rig rig;
    char *view;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    view = file_rig_view(&rig, 0, 1024);
    use_up_mappings();
    for (unsigned i = 1; i < 1024; i += 2) {
        struct page *page;

        unmap_mapping_pages(&rig.file, i, 1, false);
        REQUIRE_NE(touch_read(view + i * PAGE_SIZE, NULL), 0);
        REQUIRE_EQ(get_user_pages((uintptr_t)view + i * PAGE_SIZE, 1, 0, &page), -EFAULT);
    }
    CHECK_EQ(vm_munmap(view, 1024 * PAGE_SIZE), 0);
    CHECK_NE(touch_read(view, NULL), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(address, revoked_at_the_limit_of_mappings)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs mappings itself");
    }
    child_run(revoke_at_the_limit);
}

/* Where the system refuses even that, it is said, nothing has changed, and it can be done again. */
TEST_CASE(address, what_cannot_be_closed_is_an_error)
{
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 16), 0);
    view = file_rig_view(&rig, 0, 16);
    (void)pm_fault_arm(1);
    CHECK_EQ(vm_munmap(view, 16 * PAGE_SIZE), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0);
    CHECK_EQ(touch_write(view, 3), 0, "still a view");
    unmap_mapping_pages(&rig.file, 0, 1, false);
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(vm_munmap(view, 16 * PAGE_SIZE), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);

    (void)pm_fault_arm(1);
    CHECK_EQ(memunmap_pages(&rig.pgmap), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0);
    CHECK_EQ(warnings_take(), 1);
    CHECK(rig_finds(0, NULL));
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), -EALREADY);
    CHECK_EQ(pagemap_memory_unplug(rig.memory), -EBUSY);
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* ---- without memory ---- */

/* Whether the page is away by all ways: a touch, a pin. */
static void check_away(char *view, uint64_t index, bool away)
{
    struct page *page;
    long got = get_user_pages((uintptr_t)view + index * PAGE_SIZE, 1, 0, &page);

    CHECK_EQ(touch_read(view + index * PAGE_SIZE, NULL) != 0, away, "page %lu", (unsigned long)index);
    CHECK_EQ(got, away ? -EFAULT : 1, "page %lu", (unsigned long)index);
    if (got == 1) {
        put_page(page);
    }
}

/* The update of the page table fails: what lies between two such pages is away too, until all is shown again. */
static void deny(enum pagemap_revocation how)
{
    struct page *pages[64];
    struct file_rig rig;
    char *view;

    if (pagemap_set_revocation(how) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    for (unsigned index = 10; index <= 20; index += 10) {
        (void)pm_fault_arm(how == PAGEMAP_REVOKE_UFFD ? 2 : 3); /* the first are of the mapping */
        unmap_mapping_pages(&rig.file, index, 1, false);
        CHECK_EQ(pm_fault_arm(0), 0);
    }
    for (unsigned i = 0; i < 64; i++) {
        check_away(view, i, i >= 10 && i <= 20);
    }
    CHECK_EQ(get_user_pages((uintptr_t)view, 64, 0, pages), 10, "up to the denied ones");
    for (unsigned i = 0; i < 10; i++) {
        put_page(pages[i]);
    }
    unmap_mapping_pages(&rig.file, 5, 1, false);
    check_away(view, 5, true);
    check_away(view, 6, false);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 12 * PAGE_SIZE, 13 * PAGE_SIZE - 1), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 12, 12, 1), 0);
    check_away(view, 12, false);
    check_away(view, 13, true);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    for (unsigned i = 0; i < 64; i++) {
        check_away(view, i, false);
    }
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(address, revoked_without_memory_by_the_overlay)
{
    deny(PAGEMAP_REVOKE_OVERLAY);
}

TEST_CASE(address, revoked_without_memory_by_userfaultfd)
{
    deny(PAGEMAP_REVOKE_UFFD);
}

/* The real thing: RLIMIT_AS, and not a byte to allocate. */
static void no_memory(void)
{
    void *volatile last; /* or clang leaves the call out, and takes the loop for one that never ends */
    struct rlimit all;
    struct file_rig rig;
    char *view;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    view = file_rig_view(&rig, 0, 1024);
    REQUIRE_EQ(getrlimit(RLIMIT_AS, &all), 0);
    limit(RLIMIT_AS, 1);
    for (size_t size = 1 << 20; size >= 16; size /= 2) {
        do {
            last = malloc(size);
        } while (last != NULL);
    }
    for (unsigned i = 0; i < 1024; i += 2) {
        unmap_mapping_pages(&rig.file, i, 1, false);
        if (touch_read(view + i * PAGE_SIZE, NULL) == 0) {
            CHECK(false, "page %u is still there", i);
            break;
        }
    }
    (void)truncate_inode_pages_range(&rig.file, 0, 8 * PAGE_SIZE - 1); /* ends, either way */
    (void)vm_munmap(view, PAGE_SIZE);
    REQUIRE_EQ(setrlimit(RLIMIT_AS, &all), 0);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    check_away(view, 9, false);
    CHECK_EQ(vm_munmap(view, 1024 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(address, revoked_without_memory)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer allocates itself");
    }
    child_run(no_memory);
}
