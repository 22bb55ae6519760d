// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages(). Kernel: mm/memremap.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/map.h"
#include "pagemap/base/warn.h"
#include "pagemap/memremap/check.h"
#include "pagemap/memremap/teardown.h"
#include "pagemap/page/mapped.h"
#include "pagemap/statistics/statistics.h"

uint64_t memremap_compat_align(void)
{
    return SUBSECTION_SIZE;
}

/* ---- making one range ---- */

/*
 * No other mapping can have these pfns from here on. What was in the way was dying when it was looked for, or came
 * after.
 */
static int reserve_range(struct dev_pagemap *pgmap, unsigned id)
{
    struct pm_mapped *mapped = pgmap->_mapped;
    const struct range *range = &pgmap->ranges[id];
    struct rangemap_entry conflict;
    int error = pm_fault_here() ? -ENOMEM
                                : rangemap_insert(mapped->index, pm_first_pfn(range), pm_last_pfn(range),
                                                  pm_reserved_value(pgmap), &conflict);

    mapped->range[id].is_reserved = error == 0;
    if (error == -EEXIST && pm_check_conflict(pgmap, id, mapped->index) != 0) {
        error = -ENOMEM;
    }
    return error == -EEXIST ? pm_refuse_range(pgmap, id, error, "overlaps a device that is being torn down")
                            : error;
}

/* PRIVATE memory has addresses here, and nothing behind them. */
static int map_linear(struct dev_pagemap *pgmap, struct pm_mapped_range *made, uint64_t bytes)
{
    size_t alignment = made->memory == NULL ? PAGE_SIZE : made->memory->granule;

    made->linear = pm_area_reserve(bytes, alignment);
    if (made->linear == NULL) {
        return -ENOMEM;
    }
    return pgmap->type == MEMORY_DEVICE_PRIVATE
               ? 0
               : pm_memory_map_lazily(made->memory, made->linear, made->span.offset, bytes,
                                      PROT_READ | PROT_WRITE);
}

/* The altmap needs memory whose pages can be mapped one by one. */
static int find_memory(struct dev_pagemap *pgmap, unsigned id)
{
    const struct range *range = &pgmap->ranges[id];
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];

    made->memory = pm_memory_use(range->start, range_len(range), &made->span.offset);
    made->span.memory = made->memory;
    if (made->memory == NULL) {
        return pgmap->type == MEMORY_DEVICE_PRIVATE && made->span.altmap == NULL
                   ? 0
                   : pm_refuse_range(pgmap, id, -ENXIO, "no memory is plugged in behind all of it");
    }
    return made->span.altmap != NULL && made->memory->granule > PAGE_SIZE
               ? pm_refuse_range(pgmap, id, -ENXIO, "an altmap needs memory without huge pages")
               : 0;
}

/* The file behind the linear map, hence all its mappings; and the memmap, unless it lies in the device. */
static int place(struct dev_pagemap *pgmap, const struct pm_mapped_range *made, int nid)
{
    int error = pgmap->type == MEMORY_DEVICE_PRIVATE
                    ? 0
                    : pm_prefer_node(made->linear, made->span.nr_pfns * PAGE_SIZE, nid);

    if (error == 0 && made->span.altmap == NULL) {
        error =
            pm_prefer_node(pfn_to_page(made->span.start_pfn), made->span.nr_pfns * sizeof(struct page), nid);
    }
    (void)pm_warn_on(error == -EINVAL, "memremap_pages(): no such NUMA node");
    return error;
}

static int check_altmap(const struct dev_pagemap *pgmap, unsigned id)
{
    const struct pm_span *span = &pgmap->_mapped->range[id].span;
    int error = span->altmap == NULL ? 0 : pm_altmap_check(span->altmap, span->start_pfn, span->nr_pfns);

    return error == 0 ? 0 : pm_refuse_range(pgmap, id, error, "the altmap is not of this range, or larger");
}

/* What makes pages of pfns that are reserved: the memory, its linear map, and struct pages. */
static int populate(struct dev_pagemap *pgmap, unsigned id, int nid)
{
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];
    int error = find_memory(pgmap, id);

    if (error != 0) {
        return error;
    }
    error = map_linear(pgmap, made, range_len(&pgmap->ranges[id]));
    if (error != 0) {
        return error;
    }
    error = pm_vmemmap_populate(&made->span);
    if (error != 0) {
        return error;
    }
    made->is_populated = true;
    return place(pgmap, made, nid);
}

static int make_range(struct dev_pagemap *pgmap, unsigned id, int nid)
{
    const struct range *range = &pgmap->ranges[id];
    struct pm_span *span = &pgmap->_mapped->range[id].span;
    int error = pm_check_range(pgmap, id, pgmap->_mapped->index);

    if (error != 0) {
        return error;
    }
    error = reserve_range(pgmap, id);
    if (error != 0) {
        return error;
    }
    span->start_pfn = pm_first_pfn(range);
    span->nr_pfns = range_len(range) / PAGE_SIZE;
    span->altmap = pgmap_altmap(pgmap);
    error = check_altmap(pgmap, id);
    return error != 0 ? error : populate(pgmap, id, nid);
}

/* ---- the calls ---- */

/*
 * To reserve each entry, and to take it away again, which must not fail. So many ranges that their number wraps do not
 * fit below PHYSMEM_END: then one is refused, and undoing reserves what it needs itself.
 */
static int reserve_updates(const struct dev_pagemap *pgmap)
{
    return rangemap_reserve(pm_index_get(), 2 * pgmap->nr_range);
}

/* Sets up what all ranges share; on failure nothing is. */
static int begin_mapping(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped;
    int error = percpu_ref_init(&pgmap->ref, pm_reference_gone, PERCPU_REF_ALLOW_REINIT);

    if (error != 0) {
        return error;
    }
    pgmap->_done = 0;
    pgmap->altmap.alloc = 0;
    pgmap->altmap.align = 0;
    mapped = pm_mapped_alloc(pgmap);
    if (mapped == NULL || pm_index_create() != 0 || pm_vmemmap_reserve() != 0 ||
        reserve_updates(pgmap) != 0) {
        free(mapped);
        pm_abandon(pgmap);
        return -ENOMEM;
    }
    mapped->index = pm_index_get();
    pgmap->_mapped = mapped;
    return 0;
}

/* The part of publish() that decides: entries of this device alone. */
static int publish_entry(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                         void *context)
{
    struct dev_pagemap *pgmap = context;

    (void)whole;
    if (part->value != pm_reserved_value(pgmap)) {
        return RANGEMAP_KEEP; /* another device's, between two ranges of this one */
    }
    *value = pgmap;
    return RANGEMAP_SET;
}

/* All ranges in one step: a thread that finds one of them finds them all. */
static int publish(struct dev_pagemap *pgmap)
{
    const unsigned *by_start = pgmap->_mapped->by_start;
    const struct range *lowest = &pgmap->ranges[by_start[0]];
    const struct range *highest = &pgmap->ranges[by_start[pgmap->nr_range - 1]];

    return pm_fault_here() ? -ENOMEM
                           : rangemap_update(pgmap->_mapped->index, pm_first_pfn(lowest),
                                             pm_last_pfn(highest), publish_entry, pgmap, NULL);
}

/* If even that fails, what was made stays for memunmap_pages(), which counts it out. */
static void undo(struct dev_pagemap *pgmap)
{
    if (pm_unmake(pgmap) != 0) {
        pm_count(&pm_counters()->devices, 1);
    }
    pgmap->altmap.align = 0;
}

static int map_all(struct dev_pagemap *pgmap, int nid)
{
    int error = pm_check_pagemap(pgmap);

    if (error != 0) {
        return error;
    }
    error = begin_mapping(pgmap);
    if (error != 0) {
        return error;
    }
    for (unsigned id = 0; id < pgmap->nr_range && error == 0; id++) {
        error = make_range(pgmap, id, nid);
    }
    error = error != 0 ? error : publish(pgmap);
    if (error != 0) {
        undo(pgmap);
    }
    return error;
}

void *memremap_pages(struct dev_pagemap *pgmap, int nid)
{
    int error = map_all(pgmap, nid);

    pm_count(error == 0 ? &pm_counters()->devices : &pm_counters()->devices_refused, 1);
    return error == 0 ? pgmap->_mapped->range[0].linear : ERR_PTR(error);
}
