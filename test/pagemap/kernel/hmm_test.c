// SPDX-License-Identifier: BSD-2-Clause
/*
 * lib/test_hmm.c: a device that mirrors this process, with private or coherent memory to which pages migrate.
 * One file for one driver.
 */
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "lib/test_hmm_uapi.h"
#include "test/pagemap/kernel/rig.h"

#define SPM_START (32 * RIG_GB)
#define CHUNK (256 * RIG_MB)

enum { PAGES = 64 };

static struct pagemap_memory *spm;
static unsigned private_device;
static struct device *devices[4];

/* 6.1 never puts the reference with which it made its devices, and with it their names: forget_devices() does. */
static void note_devices(void)
{
    char name[32];

    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "hmm_dmirror%u", i);
        devices[i] = pagemap_compat_find_device(name);
        put_device(devices[i]);
    }
}

static void forget_devices(void)
{
    for (unsigned i = 0; i < 4; i++) {
        put_device(devices[i]);
    }
}

/* Two devices with private memory, and with `coherent` two with memory that the CPU sees. */
static void set_up(bool coherent)
{
    kernel_set_up();
    spm = coherent ? rig_plug(SPM_START, 2 * CHUNK) : NULL;
    REQUIRE_EQ(pagemap_compat_set_param("test_hmm", "spm_addr_dev0", coherent ? SPM_START : 0), 0);
    REQUIRE_EQ(pagemap_compat_set_param("test_hmm", "spm_addr_dev1", coherent ? SPM_START + CHUNK : 0), 0);
    REQUIRE_EQ(pagemap_compat_load("test_hmm"), 0);
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
    note_devices();
    REQUIRE_NE(devices[0], NULL);
    private_device = (unsigned)devices[0]->devt;
}

static void tear_down(void)
{
    CHECK_EQ(pagemap_compat_unload("test_hmm"), 0);
    forget_devices();
    CHECK_EQ(pagemap_compat_ram_in_use(), 0, "pages of ordinary memory are left");
    CHECK(kernel_is_free(SPM_START, 2 * CHUNK));
    if (spm != NULL) {
        rig_unplug(spm);
    }
    CHECK_EQ(warnings_take(), 0);
}

static struct file *open_mirror(unsigned n)
{
    struct file *file = pagemap_compat_open(private_device + n);

    REQUIRE(!IS_ERR(file));
    return file;
}

static long command(struct file *file, unsigned what, void *address, uint64_t npages, void *buffer,
                    struct hmm_dmirror_cmd *result)
{
    struct hmm_dmirror_cmd cmd = {.addr = (uint64_t)address, .ptr = (uint64_t)buffer, .npages = npages};
    long error = pagemap_compat_ioctl(file, what, &cmd);

    if (result != NULL) {
        *result = cmd;
    }
    return error;
}

static uint32_t *map_anonymous(uint64_t npages)
{
    uint32_t *start = pagemap_compat_mmap(NULL, npages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

    REQUIRE(!IS_ERR(start));
    return start;
}

enum { WORDS = PAGE_SIZE / sizeof(uint32_t) };

static void fill(uint32_t *start, uint64_t npages, uint32_t salt)
{
    for (uint64_t i = 0; i < npages * WORDS; i++) {
        start[i] = (uint32_t)i + salt;
    }
}

static unsigned wrong(const uint32_t *start, uint64_t npages, uint32_t salt)
{
    unsigned count = 0;

    for (uint64_t i = 0; i < npages * WORDS; i++) {
        count += start[i] != (uint32_t)i + salt;
    }
    return count;
}

TEST_CASE(hmm, the_device_reads_and_writes)
{
    uint32_t mirror[4 * WORDS];
    struct hmm_dmirror_cmd result;
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = map_anonymous(4);
    fill(start, 4, 1);
    CHECK_EQ(command(file, HMM_DMIRROR_READ, start, 4, mirror, &result), 0);
    CHECK_EQ(result.cpages, 4);
    CHECK_EQ(result.faults, 1);
    CHECK_EQ(wrong(mirror, 4, 1), 0);
    fill(mirror, 4, 77);
    CHECK_EQ(command(file, HMM_DMIRROR_WRITE, start, 4, mirror, &result), 0);
    CHECK_EQ(result.cpages, 4);
    CHECK_EQ(wrong(start, 4, 77), 0);
    CHECK_EQ(command(file, HMM_DMIRROR_READ, (char *)start + 4 * PAGE_SIZE, 1, mirror, NULL), -EFAULT,
             "no area");
    CHECK_EQ(pagemap_compat_munmap(start, 4 * PAGE_SIZE), 0);
    CHECK_EQ(command(file, HMM_DMIRROR_READ, start, 4, mirror, NULL), -EFAULT,
             "the notifier told of the unmap");
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

static void check_snapshot(struct file *file, void *start, unsigned char wanted)
{
    unsigned char perm[PAGES];

    CHECK_EQ(command(file, HMM_DMIRROR_SNAPSHOT, start, PAGES, perm, NULL), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(perm[i], wanted, "page %u", i);
    }
}

/* To the device and back by a command, by faults of the CPU, and with the file's closing. */
static void migrate_there_and_back(unsigned device, unsigned char where)
{
    uint32_t mirror[PAGES * WORDS];
    struct hmm_dmirror_cmd result;
    struct file *file = open_mirror(device);
    uint32_t *start = map_anonymous(PAGES);

    fill(start, PAGES, 1);
    check_snapshot(file, start, HMM_DMIRROR_PROT_WRITE);
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, PAGES, mirror, &result), 0);
    CHECK_EQ(result.cpages, PAGES);
    CHECK_EQ(wrong(mirror, PAGES, 1), 0);
    check_snapshot(file, start, where | HMM_DMIRROR_PROT_WRITE);

    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_SYS, start, PAGES / 2, NULL, &result), 0);
    CHECK_EQ(result.cpages, PAGES / 2);
    CHECK_EQ(wrong(start, PAGES, 1), 0, "the rest comes by faults, or is seen where it is");
    if (where == HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL) {
        check_snapshot(file, start, HMM_DMIRROR_PROT_WRITE);
    }
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, PAGES, mirror, &result), 0);
    fill(mirror, PAGES, 5);
    CHECK_EQ(command(file, HMM_DMIRROR_WRITE, start, PAGES, mirror, NULL), 0, "in the device's memory");
    CHECK_EQ(pagemap_compat_close(file), 0, "evicts");
    CHECK_EQ(wrong(start, PAGES, 5), 0);
    CHECK_EQ(pagemap_compat_munmap(start, PAGES * PAGE_SIZE), 0);
}

TEST_CASE(hmm, private_pages_migrate)
{
    set_up(false);
    migrate_there_and_back(0, HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL);
    tear_down();
}

TEST_CASE(hmm, coherent_pages_migrate)
{
    set_up(true);
    migrate_there_and_back(2, HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL);
    tear_down();
}

/* Addresses that nobody touched have no page to copy: the device gets a fresh one. */
TEST_CASE(hmm, holes_migrate)
{
    uint32_t mirror[PAGES * WORDS];
    struct hmm_dmirror_cmd result;
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = map_anonymous(PAGES);
    start[7] = 3;
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, PAGES, mirror, &result), 0);
    CHECK_EQ(result.cpages, PAGES);
    CHECK_EQ(start[7], 3);
    CHECK_EQ(start[9 * WORDS], 0);
    CHECK_EQ(pagemap_compat_munmap(start, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

/* Of two pages; vfio's and io_uring's way to end pins, too. */
static void check_other_forms(unsigned long start)
{
    const unsigned flags = FOLL_WRITE | FOLL_FORCE;
    struct page *pages[2];
    int locked = 1;

    mmap_read_lock(current->mm);
    REQUIRE_EQ(pin_user_pages_remote(current->mm, start, 2, flags | FOLL_LONGTERM, pages, NULL, &locked), 2);
    CHECK_EQ(locked, 1);
    mmap_read_unlock(current->mm);
    unpin_user_pages_dirty_lock(pages, 2, true);
    REQUIRE_EQ(pin_user_pages_unlocked(start, 2, pages, flags), 2);
    unpin_user_page_range_dirty_lock(pages[0], 1, true);
    unpin_user_page_range_dirty_lock(pages[1], 1, false);
    REQUIRE_EQ(get_user_pages_remote(&init_mm, start, 1, flags, pages, NULL), 1);
    put_page(pages[0]);
    REQUIRE_EQ(get_user_pages_unlocked(start, 1, pages, flags), 1);
    CHECK_EQ(page_count(pages[0]), 2, "the file's, and ours");
    put_page(pages[0]);
    CHECK_EQ(pin_user_pages(start, 1, FOLL_LONGTERM | FOLL_PCI_P2PDMA, pages), -EINVAL);
}

/* A pin holds a page where it is. */
TEST_CASE(hmm, pinned_pages_stay)
{
    uint32_t mirror[2 * WORDS];
    struct hmm_dmirror_cmd result;
    struct page *page;
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = map_anonymous(2);
    fill(start, 2, 1);
    REQUIRE_EQ(get_user_pages((unsigned long)start, 1, FOLL_WRITE, &page, NULL), 1);
    (void)command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, 2, mirror, &result);
    CHECK(!is_zone_device_page(page));
    CHECK_EQ(*(uint32_t *)page_address(page), 1);
    start[0] = 9;
    CHECK_EQ(*(uint32_t *)page_address(page), 9, "the same page is in view");
    CHECK_EQ(start[WORDS], WORDS + 1, "the other one went, and came back");
    put_page(page);
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, 2, mirror, &result), 0);
    CHECK_EQ(result.cpages, 2);
    REQUIRE_EQ(pin_user_pages((unsigned long)start, 1, FOLL_WRITE, &page, NULL), 1, "brings it back");
    CHECK(!is_zone_device_page(page));
    unpin_user_page(page);
    check_other_forms((unsigned long)start);
    CHECK_EQ(pagemap_compat_munmap(start, 2 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

/*
 * FOLL_LONGTERM moves coherent pages to ordinary memory; one that somebody else holds cannot go, and then none is
 * pinned.
 */
TEST_CASE(hmm, longterm_pins_move_coherent_pages)
{
    uint32_t mirror[4 * WORDS];
    struct hmm_dmirror_cmd result;
    struct page *pages[4], *held;
    struct file *file;
    uint32_t *start;

    set_up(true);
    file = open_mirror(2);
    start = map_anonymous(4);
    fill(start, 4, 1);
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start + 2 * WORDS, 2, mirror, &result), 0);
    CHECK_EQ(result.cpages, 2);
    REQUIRE_EQ(get_user_pages((unsigned long)(start + 3 * WORDS), 1, FOLL_WRITE, &held, NULL), 1);
    CHECK(is_device_coherent_page(held));
    CHECK_EQ(pin_user_pages((unsigned long)start, 4, FOLL_WRITE | FOLL_LONGTERM, pages, NULL), -EBUSY);
    put_page(held);
    REQUIRE_EQ(pin_user_pages((unsigned long)start, 4, FOLL_WRITE | FOLL_LONGTERM, pages, NULL), 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(!is_zone_device_page(pages[i]), "page %u", i);
        CHECK_EQ(page_count(pages[i]), 1 + GUP_PIN_COUNTING_BIAS, "the file's and the pin");
        CHECK_EQ(*(uint32_t *)page_address(pages[i]), i * WORDS + 1);
        start[i * WORDS] = i;
        CHECK_EQ(*(uint32_t *)page_address(pages[i]), i, "the same page is in view");
    }
    unpin_user_pages(pages, 4);
    CHECK_EQ(pagemap_compat_munmap(start, 4 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

TEST_CASE(hmm, exclusive_access_ends_with_a_touch)
{
    uint32_t mirror[4 * WORDS];
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = map_anonymous(4);
    fill(start, 4, 1);
    CHECK_EQ(command(file, HMM_DMIRROR_EXCLUSIVE, start, 4, mirror, NULL), 0);
    CHECK_EQ(wrong(mirror, 4, 1), 0);
    CHECK_EQ(command(file, HMM_DMIRROR_CHECK_EXCLUSIVE, start, 4, NULL, NULL), -EPERM);
    start[0]++;
    start[WORDS]++;
    start[2 * WORDS]++;
    start[3 * WORDS]++;
    CHECK_EQ(command(file, HMM_DMIRROR_CHECK_EXCLUSIVE, start, 4, NULL, NULL), 0);
    CHECK_EQ(start[0], 2);
    CHECK_EQ(pagemap_compat_munmap(start, 4 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

/* The driver's mmap inserts pages of its own. */
TEST_CASE(hmm, the_drivers_own_mapping)
{
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = pagemap_compat_mmap(file, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(start));
    CHECK_EQ(pagemap_compat_ram_in_use(), 4);
    fill(start, 4, 1);
    CHECK_EQ(wrong(start, 4, 1), 0);
    CHECK_EQ(pagemap_compat_munmap(start, 4 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

/* All of the device's memory is taken away while pages are in it. */
TEST_CASE(hmm, chunks_are_released_under_pages)
{
    uint32_t mirror[PAGES * WORDS];
    struct hmm_dmirror_cmd result;
    struct file *file;
    uint32_t *start;

    set_up(false);
    file = open_mirror(0);
    start = map_anonymous(PAGES);
    fill(start, PAGES, 1);
    for (unsigned round = 0; round < 2; round++) {
        CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, PAGES, mirror, &result), 0);
        CHECK_EQ(result.cpages, PAGES);
        CHECK_EQ(command(file, HMM_DMIRROR_RELEASE, start, PAGES, NULL, NULL), 0);
        CHECK_EQ(wrong(start, PAGES, 1), 0);
    }
    CHECK_EQ(pagemap_compat_munmap(start, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    tear_down();
}

/* The device's memory in which the first page of the area is. */
static struct dev_pagemap *chunk_of(void *start)
{
    struct vm_area_struct *vma = vma_lookup(current->mm, (unsigned long)start);
    struct page *page = find_get_page(vma->pm_mapping, vma->vm_pgoff);
    struct dev_pagemap *pgmap;

    REQUIRE_NE(page, NULL);
    pgmap = page_pgmap(page);
    put_page(page);
    return pgmap;
}

static void *remove_chunk(void *pgmap)
{
    memunmap_pages(pgmap);
    return NULL;
}

/*
 * What drains a device that is being removed: pages come back by faults, by migrations, and by eviction. Mapped once
 * more in the end, for the driver to remove.
 */
static void come_back_from_dying(unsigned device, unsigned char where)
{
    uint32_t mirror[PAGES * WORDS];
    struct hmm_dmirror_cmd result;
    struct file *file = open_mirror(device);
    uint32_t *start = map_anonymous(PAGES);
    struct dev_pagemap *pgmap;
    pthread_t thread;

    fill(start, PAGES, 1);
    REQUIRE_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_DEV, start, PAGES, mirror, &result), 0);
    REQUIRE_EQ(result.cpages, PAGES);
    pgmap = chunk_of(start);
    REQUIRE_EQ(pthread_create(&thread, NULL, remove_chunk, pgmap), 0);
    rig_await_kill(PHYS_PFN(pgmap->range.start));
    check_snapshot(file, start, where | HMM_DMIRROR_PROT_WRITE);
    CHECK_EQ(copy_from_user(mirror, start, PAGE_SIZE), 0);
    CHECK_EQ(wrong(mirror, 1, 1), 0);
    CHECK_EQ(wrong(start, PAGES / 2, 1), 0);
    CHECK_EQ(command(file, HMM_DMIRROR_MIGRATE_TO_SYS, start, PAGES * 3 / 4, NULL, &result), 0);
    CHECK_EQ(pagemap_compat_close(file), 0, "evicts");
    (void)pthread_join(thread, NULL);
    CHECK_EQ(wrong(start, PAGES, 1), 0);
    CHECK_EQ(pagemap_compat_munmap(start, PAGES * PAGE_SIZE), 0);
    REQUIRE(!IS_ERR(memremap_pages(pgmap, NUMA_NO_NODE)));
}

TEST_CASE(hmm, private_pages_come_back_from_a_device_that_is_removed)
{
    set_up(false);
    come_back_from_dying(0, HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL);
    tear_down();
}

TEST_CASE(hmm, coherent_pages_come_back_from_a_device_that_is_removed)
{
    set_up(true);
    come_back_from_dying(2, HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL);
    tear_down();
}

static int load_again(void)
{
    int error = pagemap_compat_load("test_hmm");

    if (error == 0) {
        note_devices();
        CHECK_EQ(pagemap_compat_unload("test_hmm"), 0);
        forget_devices();
    }
    return error;
}

/* hmm_dmirror_init() of 6.1 leaves the device whose own step failed behind: only what comes before is undone. */
TEST_CASE(hmm, loading_fails_at_the_first_step)
{
    kernel_set_up();
    REQUIRE_EQ(pagemap_compat_set_param("test_hmm", "spm_addr_dev0", 0), 0);
    (void)pagemap_compat_fail_after(1);
    CHECK_NE(load_again(), 0);
    (void)pagemap_compat_fail_after(0);
    CHECK_EQ(load_again(), 0);
    CHECK_EQ(warnings_take(), 0);
}

static uint32_t *area;
static struct file *mirrors[KERNEL_THREADS];

/*
 * Each thread has pages of its own in one area; CPU and device write them in turn while they move. A page apart:
 * 6.1's dmirror_do_update() also forgets the page behind an invalidation, and dmirror_do_fault() cannot find it again
 * in private memory.
 */
enum { APART = 9 };

static void *ping_pong(void *number)
{
    const uintptr_t me = (uintptr_t)number;
    uint32_t *mine = area + me * APART * WORDS, mirror[8 * WORDS];

    for (uint32_t round = 1; round <= 30; round++) {
        fill(mine, 8, round);
        (void)command(mirrors[me], HMM_DMIRROR_MIGRATE_TO_DEV, mine, 8, mirror, NULL);
        CHECK_EQ(command(mirrors[me], HMM_DMIRROR_READ, mine, 8, mirror, NULL), 0);
        CHECK_EQ(wrong(mirror, 8, round), 0, "thread %zu, round %u", (size_t)me, round);
        fill(mirror, 8, round + 1000);
        CHECK_EQ(command(mirrors[me], HMM_DMIRROR_WRITE, mine, 8, mirror, NULL), 0);
        if (round % 3 == 0) {
            (void)command(mirrors[me], HMM_DMIRROR_MIGRATE_TO_SYS, mine, 8, NULL, NULL);
        }
        CHECK_EQ(wrong(mine, 8, round + 1000), 0, "thread %zu, round %u", (size_t)me, round);
    }
    return NULL;
}

static void four_threads(unsigned first_device)
{
    area = map_anonymous(KERNEL_THREADS * APART);
    for (unsigned i = 0; i < KERNEL_THREADS; i++) {
        mirrors[i] = open_mirror(first_device + i % 2);
    }
    kernel_run(ping_pong);
    for (unsigned i = 0; i < KERNEL_THREADS; i++) {
        CHECK_EQ(pagemap_compat_close(mirrors[i]), 0);
    }
    CHECK_EQ(pagemap_compat_munmap(area, KERNEL_THREADS * APART * PAGE_SIZE), 0);
}

TEST_CASE(hmm, four_threads_ping_pong_with_private_memory)
{
    set_up(false);
    four_threads(0);
    tear_down();
}

TEST_CASE(hmm, four_threads_ping_pong_with_coherent_memory)
{
    set_up(true);
    four_threads(2);
    tear_down();
}
