// SPDX-License-Identifier: BSD-2-Clause
/* What a consumer of the installed pagemap does first; C and C++. Exits with 0 if pages are found and released. */
#include <stdio.h>
#include <string.h>

#if defined(SMOKE_AMALGAMATED)
#include "pagemap.h"
#else
#include "pagemap/pagemap.h"
#endif

enum { BASE = 1 << 30 };

static int check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "smoke: %s\n", what);
    }
    return holds;
}

/* Grabs, writes and puts the last page of a mapped device. */
static int use_pages(struct dev_pagemap *pgmap, const struct range *range)
{
    struct page *page = pagemap_get_page(PHYS_PFN(range->end));

    if (!check(page != NULL, "no page") || !check(page_pgmap(page) == pgmap, "another's page")) {
        return 0;
    }
    memset(page_address(page), 1, PAGE_SIZE);
    put_page(page);
    return check(pagemap_get_page(PHYS_PFN(range->end) + 1) == NULL, "a page beyond the end");
}

int main(void)
{
    struct range range;
    struct dev_pagemap pgmap;
    struct pagemap_memory_options options;
    struct pagemap_memory *memory;
    int good;

    memset(&pgmap, 0, sizeof pgmap);
    memset(&options, 0, sizeof options);
    options.bytes = SUBSECTION_SIZE;
    range.start = BASE;
    range.end = BASE + options.bytes - 1;
    pgmap.type = MEMORY_DEVICE_GENERIC;
    pgmap.range = range;
    pgmap.nr_range = 1;
    if (!check(pagemap_memory_create(&options, &memory) == 0, "no memory") ||
        !check(pagemap_memory_plug(memory, BASE) == 0, "not plugged in") ||
        !check(!IS_ERR(memremap_pages(&pgmap, -1)), "not mapped")) {
        return 1;
    }
    good = use_pages(&pgmap, &range);
    memunmap_pages(&pgmap);
    return check(pagemap_memory_unplug(memory) == 0, "in use") && pagemap_memory_destroy(memory) == 0 && good
               ? 0
               : 1;
}
