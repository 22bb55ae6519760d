// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages(). Kernel: mm/memremap.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/memremap/mapped.h"

uint64_t memremap_compat_align(void)
{
    return SUBSECTION_SIZE;
}

/* ---- checks, in the order of the table in memremap.h ---- */

static int check_type(const struct dev_pagemap *pgmap)
{
    const struct dev_pagemap_ops *ops = pgmap->ops;

    switch (pgmap->type) {
    case MEMORY_DEVICE_PRIVATE:
        return ops == NULL || ops->migrate_to_ram == NULL || ops->page_free == NULL || pgmap->owner == NULL
                   ? -EINVAL
                   : 0;
    case MEMORY_DEVICE_COHERENT:
        return ops == NULL || ops->page_free == NULL || pgmap->owner == NULL ? -EINVAL : 0;
    case MEMORY_DEVICE_FS_DAX:
    case MEMORY_DEVICE_GENERIC:
    case MEMORY_DEVICE_PCI_P2PDMA:
        return 0;
    default:
        pm_warn("memremap_pages(): invalid memory type %d", (int)pgmap->type);
        return -EINVAL;
    }
}

static int check_pagemap(const struct dev_pagemap *pgmap)
{
    if (pgmap == NULL || pm_warn_on(pgmap->_mapped != NULL, "memremap_pages() of a mapped dev_pagemap") ||
        pgmap->nr_range == 0 || pgmap->ranges == NULL || pgmap->vmemmap_shift > MAX_FOLIO_ORDER) {
        return -EINVAL;
    }
    return check_type(pgmap);
}

/* Whether it is live, or being made: a dying one is reported later, by name. */
static bool is_live_or_coming(void *value)
{
    struct dev_pagemap *pgmap = value;

    return pm_is_reserved_value(value) || !percpu_ref_is_dying(&pgmap->_ref);
}

/*
 * Whether [first, last] shares a pfn with a mapping that is not dying, whatever the shape of the overlap: the
 * kernel looks at both ends only and overwrites what lies between them.
 */
static bool has_conflict(struct rangemap *index, uint64_t first, uint64_t last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    bool conflict = false;

    if (first > last || rangemap_read_begin(index) != 0) {
        return false; /* the insertion will tell */
    }
    (void)rangemap_cursor_init(&cursor, index, first, last);
    while (!conflict && rangemap_cursor_next(&cursor, &entry) == 0) {
        conflict = is_live_or_coming(entry.value);
    }
    rangemap_read_end(index);
    return conflict;
}

static int refuse_conflict(struct rangemap *index, const struct range *range)
{
    bool conflict = has_conflict(index, pm_first_pfn(range), pm_last_pfn(range));

    return pm_warn_on(conflict, "memremap_pages(): conflicting mapping in the same range") ? -ENOMEM : 0;
}

static int check_range(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index)
{
    const struct range *range = &pgmap->ranges[id];
    uint64_t len = range_len(range);
    uint64_t align = SUBSECTION_SIZE;

    if (id > 0 && (pgmap->flags & PGMAP_ALTMAP_VALID) != 0) {
        return -EINVAL;
    }
    if (refuse_conflict(index, range) != 0) {
        return -ENOMEM;
    }
    if (range->end >= range->start && len != 0 &&
        region_intersects(range->start, len, IORESOURCE_SYSTEM_RAM) != REGION_DISJOINT) {
        return -ENXIO;
    }
    if (range->end < range->start || len == 0) {
        return -EINVAL;
    }
    if (pgmap_vmemmap_nr(pgmap) * PAGE_SIZE > align) {
        align = pgmap_vmemmap_nr(pgmap) * PAGE_SIZE;
    }
    if (((range->start | len) & (align - 1)) != 0) {
        return -EINVAL;
    }
    return range->end > PHYSMEM_END ? -ERANGE : 0;
}

/* ---- making one range ---- */

/*
 * Nobody else can have these pfns from here on. What was in the way was dying when it was looked for, or came after.
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
    if (error == -EEXIST && refuse_conflict(mapped->index, range) != 0) {
        error = -ENOMEM;
    }
    return error;
}

static int map_linear(struct dev_pagemap *pgmap, struct pm_mapped_range *made, uint64_t bytes)
{
    void *linear;

    if (pgmap->type == MEMORY_DEVICE_PRIVATE) {
        linear = pm_mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        linear = linear == MAP_FAILED ? ERR_PTR(-ENOMEM) : linear;
    } else {
        linear = pm_memory_map(made->memory, NULL, made->span.offset, bytes, PROT_READ | PROT_WRITE);
    }
    if (IS_ERR(linear)) {
        return (int)PTR_ERR(linear);
    }
    made->linear = linear;
    return 0;
}

/* The altmap needs memory whose pages can be mapped one by one. */
static int find_memory(struct dev_pagemap *pgmap, struct pm_mapped_range *made, const struct range *range)
{
    made->memory = pm_memory_use(range->start, range_len(range), &made->span.offset);
    made->span.memory = made->memory;
    if (made->memory == NULL) {
        return pgmap->type == MEMORY_DEVICE_PRIVATE && made->span.altmap == NULL ? 0 : -ENXIO;
    }
    return made->span.altmap != NULL && made->memory->granule > PAGE_SIZE ? -ENXIO : 0;
}

static int make_range(struct dev_pagemap *pgmap, unsigned id)
{
    const struct range *range = &pgmap->ranges[id];
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];
    int error = check_range(pgmap, id, pgmap->_mapped->index);

    error = error != 0 ? error : reserve_range(pgmap, id);
    if (error != 0) {
        return error;
    }
    made->span.start_pfn = pm_first_pfn(range);
    made->span.nr_pfns = range_len(range) / PAGE_SIZE;
    made->span.altmap = pgmap_altmap(pgmap);
    if (made->span.altmap != NULL) {
        error = pm_altmap_check(made->span.altmap, made->span.start_pfn, made->span.nr_pfns);
    }
    error = error != 0 ? error : find_memory(pgmap, made, range);
    error = error != 0 ? error : map_linear(pgmap, made, range_len(range));
    error = error != 0 ? error : pm_vmemmap_populate(&made->span);
    made->is_populated = error == 0;
    return error;
}

/* ---- the calls ---- */

/* Sets up what all ranges share; on failure nothing is. */
static int begin_mapping(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped;
    int error = percpu_ref_init(&pgmap->_ref, pm_reference_gone, PERCPU_REF_ALLOW_REINIT);

    if (error != 0) {
        return error;
    }
    pgmap->_done = 0;
    pgmap->_killed = 0;
    pgmap->altmap.alloc = 0;
    pgmap->altmap.align = 0;
    mapped = pm_alloc(sizeof *mapped + pgmap->nr_range * sizeof mapped->range[0]);
    if (mapped == NULL || pm_index_create() != 0 || pm_vmemmap_reserve() != 0) {
        free(mapped);
        percpu_ref_kill(&pgmap->_ref);
        percpu_ref_exit(&pgmap->_ref);
        return -ENOMEM;
    }
    mapped->index = pm_index_get();
    pgmap->_mapped = mapped;
    return 0;
}

/* Cannot fail half-way: the memory for all replacements is set aside first. */
static int publish(struct dev_pagemap *pgmap)
{
    struct rangemap *index = pgmap->_mapped->index;
    int error = pm_fault_here() ? -ENOMEM : rangemap_reserve(index, pgmap->nr_range);

    for (unsigned id = 0; id < pgmap->nr_range && error == 0; id++) {
        const struct range *range = &pgmap->ranges[id];

        error = rangemap_replace(index, pm_first_pfn(range), pm_last_pfn(range), pm_reserved_value(pgmap),
                                 pgmap, NULL);
        (void)pm_warn_on(error != 0, "memremap_pages(): a reserved entry changed");
    }
    return error;
}

void *memremap_pages(struct dev_pagemap *pgmap, int nid)
{
    int error = check_pagemap(pgmap);

    (void)nid;
    error = error != 0 ? error : begin_mapping(pgmap);
    if (error != 0) {
        return ERR_PTR(error);
    }
    for (unsigned id = 0; id < pgmap->nr_range && error == 0; id++) {
        error = make_range(pgmap, id);
    }
    error = error != 0 ? error : publish(pgmap);
    if (error != 0) {
        (void)pm_kill(pgmap); /* nobody saw it, so no grace period is needed */
        pm_drain(pgmap);
        (void)pm_unmake(pgmap);
        pgmap->altmap.align = 0;
        return ERR_PTR(error);
    }
    return pgmap->_mapped->range[0].linear;
}
