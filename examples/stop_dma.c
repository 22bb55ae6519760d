// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device that was given addresses, and is told before what is there goes: it stops, drops its pins, and begins anew
 * when it may. Beside it a page moves to another place under its feet, pages are revoked, and the file is truncated,
 * which waits for pins: the callback ends them. Exits with 1 if a promise is broken.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/pagemap.h"

enum { PAGES = 16, SPARE = 100 };

#define BYTES (UINT64_C(2) << 20)

static bool broken;

static void promise(bool kept, const char *what)
{
    if (!kept) {
        (void)fprintf(stderr, "broken: %s\n", what);
        broken = true;
    }
}

/* ---- the device ---- */

struct device_dma {
    struct mmu_interval_notifier subscription; /* the first member */
    pthread_mutex_t lock;
    uintptr_t start; /* of the view */
    struct page *pages[PAGES];
    bool is_running; /* it has all of them pinned */
    unsigned started, stopped;
};

/* Before anything of the view goes. */
static bool stop_dma(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                     unsigned long cur_seq)
{
    struct device_dma *device = (struct device_dma *)(void *)subscription;

    (void)range;
    (void)pthread_mutex_lock(&device->lock);
    mmu_interval_set_seq(subscription, cur_seq);
    if (device->is_running) {
        device->is_running = false; /* here the hardware is told, and waited for */
        unpin_user_pages(device->pages, PAGES);
        device->stopped++;
    }
    (void)pthread_mutex_unlock(&device->lock);
    return true;
}

static const struct mmu_interval_notifier_ops ops = {.invalidate = stop_dma};

/* False: not all of the pages are there. */
static bool start_dma(struct device_dma *device)
{
    for (;;) {
        unsigned long seq = mmu_interval_read_begin(&device->subscription);
        long pinned = pin_user_pages(device->start, PAGES, FOLL_WRITE, device->pages);
        bool stale;

        if (pinned != PAGES) {
            unpin_user_pages(device->pages, pinned > 0 ? (unsigned long)pinned : 0);
            return false;
        }
        (void)pthread_mutex_lock(&device->lock);
        stale = mmu_interval_read_retry(&device->subscription, seq);
        device->is_running = !stale; /* here the hardware is given the pages */
        device->started += !stale;
        (void)pthread_mutex_unlock(&device->lock);
        if (!stale) {
            return true;
        }
        unpin_user_pages(device->pages, PAGES); /* something went meanwhile */
    }
}

/* ---- what happens to its pages ---- */

static void move_a_page(struct device_dma *device, struct address_space *file, char *view)
{
    struct page *old = find_get_page(file, 3), *spare = pfn_to_page(SPARE);

    promise(start_dma(device), "the pages could not be pinned");
    memcpy(page_address(spare), page_address(old), PAGE_SIZE);
    promise(filemap_replace_page(file, 3, old, spare) == 0, "the page could not be moved");
    promise(!device->is_running, "the device went on with the old page");
    put_page(old);
    promise(view[3 * PAGE_SIZE] == 3, "the bytes are others");
    promise(start_dma(device) && device->pages[3] == spare, "the device did not find the new page");
    (void)printf("moved a page: the device stopped, and found it in its new place\n");
}

static void revoke_a_page(struct device_dma *device, struct address_space *file)
{
    unmap_mapping_pages(file, 5, 1, false);
    promise(!device->is_running, "the device went on with what was revoked");
    promise(!start_dma(device), "it could begin without that page");
    promise(map_mapping_range(file, 5 * PAGE_SIZE, PAGE_SIZE) == 0 && start_dma(device), "nor with it");
    (void)printf("revoked a page: the device stopped, and began when it was back\n");
}

static void run(struct device_dma *device, struct address_space *file, char *view)
{
    for (uint64_t i = 0; i < PAGES; i++) {
        memset(view + i * PAGE_SIZE, (int)i, PAGE_SIZE);
    }
    move_a_page(device, file, view);
    revoke_a_page(device, file);
    promise(truncate_inode_pages(file, 0) == 0, "the file could not be truncated");
    promise(!device->is_running && device->stopped == device->started, "pins are left");
    (void)printf("truncated, which waits for pins: the device dropped its %d\n", PAGES);
}

int main(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = {0, BYTES - 1}};
    struct device_dma device = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct pagemap_memory *memory;
    struct address_space file;
    char *view;

    if (pagemap_memory_create(&options, &memory) != 0 || pagemap_memory_plug(memory, 0) != 0 ||
        IS_ERR(memremap_pages(&pgmap, -1)) || address_space_init(&file, "example", NULL) != 0 ||
        filemap_add_pages(&file, 0, 0, PAGES) != 0) {
        (void)fprintf(stderr, "this machine has no room for the example\n");
        return 1;
    }
    view = vm_mmap(&file, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    if (IS_ERR(view)) {
        return 1;
    }
    device.start = (uintptr_t)view;
    promise(mmu_interval_notifier_insert(&device.subscription, NULL, device.start, PAGES * PAGE_SIZE, &ops) ==
                0,
            "the device could not be told");
    run(&device, &file, view);
    promise(mmu_interval_notifier_remove(&device.subscription) == 0, "the device could not leave");
    promise(vm_munmap(view, PAGES * PAGE_SIZE) == 0 && address_space_destroy(&file) == 0, "the file stayed");
    promise(memunmap_pages(&pgmap) == 0 && pagemap_memory_unplug(memory) == 0, "the device stayed");
    (void)pagemap_memory_destroy(memory);
    (void)pagemap_barrier();
    return broken ? 1 : 0;
}
