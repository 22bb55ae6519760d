// SPDX-License-Identifier: BSD-2-Clause
#include "bench/pagemap/paths.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/pagemap/runs.h"
#include "bench/pagemap/sample.h"
#include "pagemap/pagemap.h"

enum { GUP_ROUNDS = 200, MAX_PAGES = 512 };

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

static const uint64_t DEVICE_BYTES = 256 * MIB, LARGEST_VIEW = 64 * MIB;

/* ---- a device with a file of all its pages, and a view ---- */

struct device_file {
    struct range range;
    struct dev_pagemap pgmap;
    struct address_space file;
    uint64_t view_bytes;
    char *view;
};

static bool open_device(struct device_file *it, uint64_t view_bytes)
{
    memset(it, 0, sizeof *it);
    it->range = (struct range){0, DEVICE_BYTES - 1};
    it->pgmap = (struct dev_pagemap){.type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = it->range};
    it->view_bytes = view_bytes;
    if (IS_ERR(memremap_pages(&it->pgmap, -1)) || address_space_init(&it->file, "bench", NULL) != 0 ||
        filemap_add_pages(&it->file, 0, 0, DEVICE_BYTES / PAGE_SIZE) != 0) {
        return false;
    }
    it->view = vm_mmap(&it->file, view_bytes, PROT_READ | PROT_WRITE, 0);
    return !IS_ERR(it->view);
}

static bool close_device(struct device_file *it)
{
    return vm_munmap(it->view, it->view_bytes) == 0 && truncate_inode_pages(&it->file, 0) == 0 &&
           address_space_destroy(&it->file) == 0 && memunmap_pages(&it->pgmap) == 0;
}

/* ---- get_user_pages() ---- */

struct gup {
    const struct device_file *device;
    unsigned long nr_pages;
    bool pin;
};

static double sample_gup(void *context)
{
    static struct page *pages[MAX_PAGES];
    const struct gup *gup = context;
    uintptr_t start = (uintptr_t)gup->device->view;
    double began = now_ns();

    for (unsigned i = 0; i < GUP_ROUNDS; i++) {
        long got = gup->pin ? pin_user_pages(start, gup->nr_pages, FOLL_WRITE, pages)
                            : get_user_pages(start, gup->nr_pages, FOLL_WRITE, pages);

        if (got != (long)gup->nr_pages) {
            return -1;
        }
        for (unsigned long p = 0; p < gup->nr_pages; p++) {
            if (gup->pin) {
                unpin_user_page(pages[p]);
            } else {
                put_page(pages[p]);
            }
        }
    }
    return (now_ns() - began) / GUP_ROUNDS;
}

static int bench_gup(unsigned repetitions)
{
    static const unsigned long sizes[] = {1, MAX_PAGES};
    struct device_file device;
    int error = 0;

    if (!open_device(&device, 4 * MIB)) {
        return 1;
    }
    (void)printf("\n%8s %16s %16s\n", "pages", "get + put, ns", "pin + unpin, ns");
    for (unsigned s = 0; s < 2; s++) {
        struct gup get = {&device, sizes[s], false}, pin = {&device, sizes[s], true};
        double got = median(sample_gup, &get, repetitions), pinned = median(sample_gup, &pin, repetitions);

        error |= got < 0 || pinned < 0;
        (void)printf("%8lu %16.0f %16.0f\n", sizes[s], got, pinned);
    }
    return !close_device(&device) || error;
}

/* ---- memremap_pages() + memunmap_pages() ---- */

struct cycle {
    uint64_t bytes;
    bool has_altmap;
};

static double sample_cycle(void *context)
{
    const struct cycle *cycle = context;
    struct range range = {0, cycle->bytes - 1};
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_FS_DAX, .nr_range = 1, .range = range};
    double began = now_ns();

    if (cycle->has_altmap) {
        pgmap.flags = PGMAP_ALTMAP_VALID;
        pgmap.altmap.free = cycle->bytes / PAGE_SIZE / 32; /* twice what the struct pages take */
    }
    return IS_ERR(memremap_pages(&pgmap, -1)) || memunmap_pages(&pgmap) != 0 ? -1 : now_ns() - began;
}

static int bench_cycles(unsigned repetitions)
{
    static const uint64_t sizes[] = {2 * MIB, 16 * MIB, 256 * MIB};
    int error = 0;

    (void)printf("\n%8s %16s %16s\n", "device", "map + unmap, us", "with altmap, us");
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct cycle plain = {sizes[s], false}, altmap = {sizes[s], true};
        double plain_ns = median(sample_cycle, &plain, repetitions);
        double altmap_ns = median(sample_cycle, &altmap, repetitions);

        error |= plain_ns < 0 || altmap_ns < 0;
        (void)printf("%4llu MiB %16.1f %16.1f\n", (unsigned long long)(sizes[s] / MIB), plain_ns / 1e3,
                     altmap_ns / 1e3);
    }
    return error;
}

/* ---- unmap_mapping_range() ---- */

/* All pages are touched first, so that there is something to take away. */
static double sample_revoke(void *context)
{
    struct device_file *device = context;
    struct page *page;
    double began, took;

    if (map_mapping_range(&device->file, 0, device->view_bytes) != 0) {
        return -1;
    }
    for (uint64_t at = 0; at < device->view_bytes; at += PAGE_SIZE) {
        *(volatile char *)(device->view + at) = 1;
    }
    began = now_ns();
    unmap_mapping_range(&device->file, 0, device->view_bytes, 1);
    took = now_ns() - began;
    return get_user_pages((uintptr_t)device->view, 1, 0, &page) == 1 ? -1 : took;
}

/* Negative: this mechanism cannot revoke such a view here, or (*broken) something failed. */
static double revoke_by(enum pagemap_revocation how, uint64_t view_bytes, unsigned repetitions, bool *broken)
{
    struct device_file device;
    double took;

    if (pagemap_set_revocation(how) != 0) {
        return -1;
    }
    if (!open_device(&device, view_bytes)) {
        *broken = true;
        return -1;
    }
    took = median(sample_revoke, &device, repetitions);
    *broken |= took < 0;
    if (pagemap_view_revocation(device.view) != how) {
        took = -1; /* as where more would be locked than RLIMIT_MEMLOCK allows */
    }
    *broken |= !close_device(&device);
    return took;
}

static void print_microseconds(double nanoseconds)
{
    if (nanoseconds < 0) {
        (void)printf(" %16s", "-");
    } else {
        (void)printf(" %16.1f", nanoseconds / 1e3);
    }
}

static int bench_revocation(unsigned repetitions)
{
    bool broken = false;

    (void)printf("\n%8s %16s %16s\n", "view", "userfaultfd, us", "overlay, us");
    for (uint64_t bytes = 64 * KIB; bytes <= LARGEST_VIEW; bytes *= 4) {
        (void)printf("%5lluKiB", (unsigned long long)(bytes / KIB));
        print_microseconds(revoke_by(PAGEMAP_REVOKE_UFFD, bytes, repetitions, &broken));
        print_microseconds(revoke_by(PAGEMAP_REVOKE_OVERLAY, bytes, repetitions, &broken));
        (void)printf("\n");
    }
    (void)pagemap_set_revocation(PAGEMAP_REVOKE_AUTO);
    (void)printf("-: the view fell back, as where RLIMIT_MEMLOCK is smaller. Of new views: %s\n",
                 pagemap_revocation_report());
    return broken;
}

int bench_paths(unsigned repetitions)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = DEVICE_BYTES};
    struct pagemap_memory *memory;
    int error;

    if (pagemap_memory_create(&options, &memory) != 0 || pagemap_memory_plug(memory, 0) != 0) {
        return 1;
    }
    error = bench_gup(repetitions);
    error |= bench_cycles(repetitions);
    error |= bench_revocation(repetitions);
    error |= bench_runs(repetitions);
    return error || pagemap_memory_unplug(memory) != 0 || pagemap_memory_destroy(memory) != 0;
}
