// SPDX-License-Identifier: BSD-2-Clause
#include "bench/pagemap/runs.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/pagemap/sample.h"
#include "pagemap/pagemap.h"

enum { PAGES = 512, ROUNDS = 100, MAX_VIEWS = 10000 };

static const uint64_t DEVICE_BYTES = UINT64_C(256) << 20;

/* ---- a device and a file ---- */

struct runs_file {
    struct dev_pagemap pgmap;
    struct address_space file;
};

static bool open_file(struct runs_file *it)
{
    memset(it, 0, sizeof *it);
    it->pgmap =
        (struct dev_pagemap){.type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = {0, DEVICE_BYTES - 1}};
    return !IS_ERR(memremap_pages(&it->pgmap, -1)) && address_space_init(&it->file, "bench", NULL) == 0;
}

/* `count` pages in runs of `run`, no two of which are neighbours in the device. */
static bool fill(struct runs_file *it, uint64_t count, uint64_t run)
{
    bool done = true;

    for (uint64_t at = 0; at < count && done; at += run) {
        done = filemap_add_pages(&it->file, at, at * 2, run) == 0;
    }
    return done;
}

static bool close_file(struct runs_file *it)
{
    return truncate_inode_pages(&it->file, 0) == 0 && address_space_destroy(&it->file) == 0 &&
           memunmap_pages(&it->pgmap) == 0;
}

/* ---- pinning ---- */

static double sample_pin(void *view)
{
    static struct page *pages[PAGES];
    double began = now_ns();

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (pin_user_pages((uintptr_t)view, PAGES, FOLL_WRITE, pages) != PAGES) {
            return -1;
        }
        unpin_user_pages(pages, PAGES);
    }
    return (now_ns() - began) / ROUNDS;
}

static double pin_runs(uint64_t run, unsigned repetitions)
{
    struct runs_file it;
    double took = -1;
    void *view;

    if (!open_file(&it) || !fill(&it, PAGES, run)) {
        return -1;
    }
    view = vm_mmap(&it.file, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    if (!IS_ERR(view)) {
        took = median(sample_pin, view, repetitions);
        took = vm_munmap(view, PAGES * PAGE_SIZE) == 0 ? took : -1;
    }
    return close_file(&it) ? took : -1;
}

static int bench_pins(unsigned repetitions)
{
    int error = 0;

    (void)printf("\n%14s %26s\n", "pages in a run", "pin + unpin of 512, ns/page");
    for (uint64_t run = 1; run <= PAGES; run *= 8) {
        double took = pin_runs(run, repetitions);

        error |= took < 0;
        (void)printf("%14llu %26.1f\n", (unsigned long long)run, took / PAGES);
    }
    return error;
}

/* ---- truncating ---- */

struct truncating {
    struct runs_file it;
    uint64_t runs;
};

/* Of runs of a page each, all shown in a view. */
static double sample_truncation(void *context)
{
    struct truncating *truncating = context;
    uint64_t bytes = truncating->runs * PAGE_SIZE;
    double began, took = -1;
    void *view;

    if (!fill(&truncating->it, truncating->runs, 1)) {
        return -1;
    }
    view = vm_mmap(&truncating->it.file, bytes, PROT_READ | PROT_WRITE, 0);
    if (!IS_ERR(view)) {
        began = now_ns();
        took = truncate_inode_pages(&truncating->it.file, 0) == 0 ? now_ns() - began : -1;
        took = vm_munmap(view, bytes) == 0 ? took : -1;
    }
    return took;
}

/* Negative: it failed; 0: there is no such mechanism here. */
static double truncate_by(enum pagemap_revocation how, uint64_t runs, unsigned repetitions)
{
    struct truncating truncating = {.runs = runs};
    double took;

    if (pagemap_set_revocation(how) != 0) {
        return 0;
    }
    if (!open_file(&truncating.it)) {
        return -1;
    }
    took = median(sample_truncation, &truncating, repetitions);
    return close_file(&truncating.it) ? took : -1;
}

static int bench_truncation(unsigned repetitions)
{
    int error = 0;

    (void)printf("\n%8s %22s %22s\n", "runs", "userfaultfd, us a run", "overlay, us a run");
    for (uint64_t runs = 512; runs <= 8192; runs *= 2) {
        double uffd = truncate_by(PAGEMAP_REVOKE_UFFD, runs, repetitions);
        double overlay = truncate_by(PAGEMAP_REVOKE_OVERLAY, runs, repetitions);

        error |= uffd < 0 || overlay < 0;
        (void)printf("%8llu %22.2f %22.2f\n", (unsigned long long)runs, uffd / 1e3 / (double)runs,
                     overlay / 1e3 / (double)runs);
    }
    (void)pagemap_set_revocation(PAGEMAP_REVOKE_AUTO);
    return error;
}

/* ---- views ---- */

/* Of this process: the heap, and what is mapped without a file. */
static double resident_bytes(void)
{
    unsigned long size, resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL || fscanf(file, "%lu %lu %lu", &size, &resident, &shared) != 3) {
        resident = shared;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (double)(resident - shared) * PAGE_SIZE;
}

static int bench_views(void)
{
    static void *views[MAX_VIEWS];
    double before, made, began;
    struct runs_file it;
    int error = 0;

    if (pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY) != 0 || !open_file(&it) || !fill(&it, PAGES, PAGES)) {
        return 1;
    }
    (void)malloc_trim(0);
    before = resident_bytes();
    began = now_ns();
    for (unsigned i = 0; i < MAX_VIEWS; i++) {
        views[i] = vm_mmap(&it.file, PAGE_SIZE, PROT_READ | PROT_WRITE, i % PAGES * PAGE_SIZE);
        error |= IS_ERR(views[i]);
    }
    made = now_ns() - began;
    (void)printf("\n%u views of a page: %.0f bytes of this process's memory each, made in %.1f us each\n",
                 MAX_VIEWS, (resident_bytes() - before) / MAX_VIEWS, made / 1e3 / MAX_VIEWS);
    for (unsigned i = 0; i < MAX_VIEWS && !error; i++) {
        error |= vm_munmap(views[i], PAGE_SIZE) != 0;
    }
    (void)pagemap_set_revocation(PAGEMAP_REVOKE_AUTO);
    return !close_file(&it) || error;
}

int bench_runs(unsigned repetitions)
{
    int error = bench_pins(repetitions);

    error |= bench_truncation(repetitions);
    error |= bench_views();
    return error;
}
