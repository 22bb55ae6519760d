// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device of 1 GiB comes up with its struct pages in its own memory, and a file of its pages is mapped. Readers pin
 * random pages and work on them. Then the driver is pulled out under load, and the times of what happens are
 * printed. Exits with 1 if a promise is broken: a page taken away from a reader, a pin granted after the kill, a view
 * that still works after it was revoked, memory left in use.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pagemap/pagemap.h"

enum { READERS = 3, METADATA_PAGES = 8192, FILE_PAGES = 100000, VIEW_PAGES = 1024, PIN_MICROSECONDS = 200 };

#define BASE (UINT64_C(64) << 30)
#define BYTES (UINT64_C(1) << 30)

static uint64_t stop, unplugged, broken, pins, refusals;
static uint64_t first_refusal, last_put; /* nanoseconds */

static uint64_t now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void add(uint64_t *word, uint64_t n)
{
    (void)__atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

static void promise(bool kept, const char *what)
{
    if (!kept) {
        (void)fprintf(stderr, "broken: %s\n", what);
        add(&broken, 1);
    }
}

/* The latest of several threads' times. */
static void note_latest(uint64_t *time, uint64_t value)
{
    uint64_t before = load(time);

    while (before < value &&
           !__atomic_compare_exchange_n(time, &before, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

static void refused(void)
{
    uint64_t none = 0;

    add(&refusals, 1);
    (void)__atomic_compare_exchange_n(&first_refusal, &none, now(), false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
}

/* Each reader has a byte of every page to itself. */
static void *read_pages(void *number)
{
    size_t mine = (size_t)(uintptr_t)number;
    uint64_t random = mine + 1;

    while (!load(&stop)) {
        uint64_t gone = load(&unplugged);
        struct page *page;
        unsigned char *bytes;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        page = pagemap_get_page(PHYS_PFN(BASE) + METADATA_PAGES + (random >> 40) % FILE_PAGES);
        if (page == NULL) {
            refused();
            (void)usleep(PIN_MICROSECONDS);
            continue;
        }
        promise(!gone, "a pin was granted after the teardown was complete");
        bytes = page_address(page);
        bytes[mine] = (unsigned char)random;
        (void)usleep(PIN_MICROSECONDS);
        promise(bytes[mine] == (unsigned char)random, "a pinned page changed");
        add(&pins, 1);
        note_latest(&last_put, now());
        put_page(page);
    }
    return NULL;
}

static struct address_space file;
static char *view;

static int map_file(void)
{
    if (address_space_init(&file, "data", NULL) != 0 ||
        filemap_add_pages(&file, 0, PHYS_PFN(BASE) + METADATA_PAGES, FILE_PAGES) != 0) {
        return 1;
    }
    view = vm_mmap(&file, VIEW_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    if (IS_ERR(view)) {
        return 1;
    }
    memset(view, 1, VIEW_PAGES * PAGE_SIZE);
    (void)printf("view:    4 MiB of a file, to be revoked by %s\n", pagemap_revocation_report());
    return 0;
}

/* A touch would be SIGBUS; a system call says so politely. */
static bool view_is_revoked(void)
{
    int ends[2];
    bool revoked;

    if (pipe(ends) != 0) {
        return false;
    }
    revoked = write(ends[1], view, 1) == -1 && errno == EFAULT;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return revoked;
}

static int bring_up(struct dev_pagemap *pgmap, struct pagemap_memory **memory, struct device *dev)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};

    if (pagemap_memory_create(&options, memory) != 0 || pagemap_memory_plug(*memory, BASE) != 0 ||
        devm_request_mem_region(dev, BASE, BYTES, dev->name) == NULL ||
        IS_ERR(devm_memremap_pages(dev, pgmap))) {
        return 1;
    }
    (void)printf("up:      1 GiB, %llu pages of it hold its struct pages\n",
                 (unsigned long long)pgmap->altmap.alloc);
    return 0;
}

/* Pulls the driver out and tells what happened when. */
static void pull_out(struct dev_pagemap *pgmap, struct device *dev)
{
    uint64_t busy = pgmap_nr_references(pgmap) - mapping_nr_pages(&file), began = now(), revoked, ended;
    struct page *page;

    promise(load(&refusals) == 0, "a pin was refused while the device was up");
    promise(kill_dev_pagemap(pgmap) == 0, "the device could not be killed");
    unmap_mapping_range(&file, 0, 0, 1);
    revoked = now();
    promise(view_is_revoked(), "a revoked view can be read");
    promise(get_user_pages((uintptr_t)view, 1, 0, &page) == -EFAULT,
            "a page was pinned through a revoked view");
    promise(truncate_inode_pages(&file, 0) == 0, "the file could not be emptied");
    (void)devres_release_all(dev);
    ended = now();
    (void)__atomic_exchange_n(&unplugged, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 2000 && load(&refusals) == 0; i++) {
        (void)usleep(1000);
    }
    promise(load(&last_put) <= ended, "the teardown did not wait for a pin");
    promise(load(&refusals) > 0, "readers noticed nothing");
    promise(pgmap->altmap.alloc == 0, "metadata pages are still in use");
    (void)printf("load:    %llu pins so far, %llu pages busy\n", (unsigned long long)load(&pins),
                 (unsigned long long)busy);
    (void)printf("   0 us  the driver is pulled out\n");
    (void)printf("%4lld us  kill: the first pin is refused\n",
                 (long long)(load(&first_refusal) - began) / 1000);
    (void)printf("%4lld us  revoke: the view is gone\n", (long long)(revoked - began) / 1000);
    (void)printf("%4lld us  drain: the last pin is put\n", (long long)(load(&last_put) - began) / 1000);
    (void)printf("%4lld us  free: memmap, linear map and region are gone\n",
                 (long long)(ended - began) / 1000);
}

int main(void)
{
    struct range range = {BASE, BASE + BYTES - 1};
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_FS_DAX, .flags = PGMAP_ALTMAP_VALID, .nr_range = 1};
    struct pagemap_memory *memory = NULL;
    struct device dev;
    pthread_t readers[READERS];

    pgmap.range = range;
    pgmap.altmap.base_pfn = PHYS_PFN(BASE);
    pgmap.altmap.free = METADATA_PAGES;
    device_initialize(&dev, "pmem0");
    if (bring_up(&pgmap, &memory, &dev) != 0) {
        (void)fprintf(stderr, "the device did not come up\n");
        return 1;
    }
    if (map_file() != 0) {
        (void)fprintf(stderr, "the file could not be mapped\n");
        return 1;
    }
    for (uintptr_t i = 0; i < READERS; i++) {
        if (pthread_create(&readers[i], NULL, read_pages, (void *)i) != 0) {
            return 1;
        }
    }
    (void)usleep(100000);
    pull_out(&pgmap, &dev);
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i], NULL);
    }
    promise(vm_munmap(view, VIEW_PAGES * PAGE_SIZE) == 0 && address_space_destroy(&file) == 0,
            "the file is still in use");
    promise(pagemap_memory_unplug(memory) == 0, "the memory is still in use");
    promise(pagemap_memory_destroy(memory) == 0, "the memory is still plugged in");
    pagemap_barrier();
    return load(&broken) == 0 ? 0 : 1;
}
