// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device of 4 TiB keeps its own struct pages: 64 GiB of them, none of it ordinary memory. The device is sparse, so
 * the machine needs to have none of it. Shown: what it costs, that each page is found, that the pages which hold
 * struct pages are not pages themselves, and that all of it is given back. Exits with 1 if a promise is broken.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/pagemap.h"

#define BASE (UINT64_C(1) << 40)
#define BYTES (UINT64_C(4) << 40)
#define MIB (UINT64_C(1) << 20)

enum { INFO_PAGES = 2, PIECES = 1000 };

static unsigned broken;

static void promise(bool kept, const char *what)
{
    if (!kept) {
        (void)fprintf(stderr, "broken: %s\n", what);
        broken++;
    }
}

/* Ordinary memory of this process, in KiB; what it maps of the device does not count. */
static uint64_t ordinary_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    uint64_t kib = 0;
    char line[128];

    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoull(line + 8, NULL, 10);
        }
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return kib;
}

/* Pages all over the device: the struct page and the bytes of each are used, and kept their values. */
static void use_pages(uint64_t first_pfn, uint64_t nr_pfns)
{
    for (uint64_t i = 0; i < PIECES; i++) {
        struct page *page = pagemap_get_page(first_pfn + i * (nr_pfns / PIECES));

        promise(page != NULL, "a page of the device is not found");
        if (page != NULL) {
            page->zone_device_data = page;
            *(uint64_t *)page_address(page) = i;
        }
    }
    for (uint64_t i = 0; i < PIECES; i++) {
        struct page *page = pfn_to_page(first_pfn + i * (nr_pfns / PIECES));

        promise(page->zone_device_data == page && *(uint64_t *)page_address(page) == i,
                "a struct page and the bytes of a page are the same memory");
        put_page(page);
    }
}

/* pre: mapped. */
static void show(struct dev_pagemap *pgmap, const struct pagemap_memory *memory, uint64_t before_kib)
{
    uint64_t base_pfn = pgmap->altmap.base_pfn, metadata = vmem_altmap_offset(&pgmap->altmap);
    uint64_t nr_pfns = BYTES / PAGE_SIZE, grown;

    (void)printf("mapped:   %" PRIu64 " pages of the device are set aside for struct pages, %" PRIu64
                 " KiB of ordinary memory\n",
                 pgmap->altmap.alloc, ordinary_kib() - before_kib);
    promise(pgmap->altmap.alloc * PAGE_SIZE == nr_pfns * sizeof(struct page),
            "the struct pages are not in the device");
    promise((pgmap->altmap.base_pfn + pgmap->altmap.reserve + pgmap->altmap.align) % (2 * MIB / PAGE_SIZE) ==
                0,
            "blocks are not naturally aligned");
    promise(pagemap_get_page(base_pfn) == NULL && pagemap_get_page(base_pfn + metadata - 1) == NULL &&
                !pgmap_pfn_valid(pgmap, base_pfn + metadata - 1) && memory_failure(base_pfn, 0) == -ENXIO,
            "metadata is taken for pages");
    promise(pgmap_pfn_valid(pgmap, base_pfn + metadata), "the first page is none");
    use_pages(base_pfn + metadata, nr_pfns - metadata);
    grown = ordinary_kib() - before_kib;
    (void)printf("used:     %d pages all over it, %" PRIu64 " KiB of ordinary memory, %" PRIu64
                 " KiB of the device\n",
                 PIECES, grown, pagemap_memory_resident(memory) >> 10);
    promise(grown < 256 << 10, "the metadata costs ordinary memory");
}

int main(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};
    struct range range = {BASE, BASE + BYTES - 1};
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_FS_DAX, .flags = PGMAP_ALTMAP_VALID, .nr_range = 1};
    struct pagemap_memory *memory = NULL;
    uint64_t before_kib;
    void *linear;

    pgmap.range = range;
    pgmap.altmap.base_pfn = PHYS_PFN(BASE);
    pgmap.altmap.reserve = INFO_PAGES; /* the driver's own, not to be written */
    pgmap.altmap.free = (BYTES / PAGE_SIZE * sizeof(struct page) + 2 * MIB) / PAGE_SIZE - INFO_PAGES;
    if (pagemap_memory_create(&options, &memory) != 0 || pagemap_memory_plug(memory, BASE) != 0) {
        (void)fprintf(stderr, "no memory of 4 TiB here\n");
        return 1;
    }
    before_kib = ordinary_kib();
    linear = memremap_pages(&pgmap, -1);
    if (IS_ERR(linear)) {
        (void)fprintf(stderr, "the device did not come up: %s\n", strerror((int)-PTR_ERR(linear)));
        return 1;
    }
    show(&pgmap, memory, before_kib);
    promise(memunmap_pages(&pgmap) == 0, "it could not be unmapped");
    promise(pgmap.altmap.alloc == 0, "metadata pages are still in use");
    (void)printf("unmapped: %" PRIu64 " pages of the device are set aside\n", pgmap.altmap.alloc);
    promise(pagemap_get_page(PHYS_PFN(range.end)) == NULL, "a page is found after the end");
    promise(pagemap_memory_unplug(memory) == 0 && pagemap_memory_destroy(memory) == 0,
            "the memory is still in use");
    pagemap_barrier();
    return broken == 0 ? 0 : 1;
}
