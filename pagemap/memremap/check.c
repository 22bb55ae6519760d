// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: the checks of mm/memremap.c (6.1), with its WARNs and one for each that has none there. */
#include "pagemap/memremap/check.h"

#include <errno.h>

#include "pagemap/base/warn.h"

/* ---- the whole ---- */

static int refuse(const char *why)
{
    pm_warn("memremap_pages(): %s", why);
    return -EINVAL;
}

static bool has_page_free(const struct dev_pagemap_ops *ops)
{
    return ops != NULL && (ops->page_free != NULL || ops->folio_free != NULL);
}

/* PRIVATE or COHERENT. */
static int check_allocated(const struct dev_pagemap *pgmap)
{
    if (pgmap->type == MEMORY_DEVICE_PRIVATE && (pgmap->ops == NULL || pgmap->ops->migrate_to_ram == NULL)) {
        return refuse("missing migrate_to_ram method");
    }
    if (!has_page_free(pgmap->ops)) {
        return refuse("missing page_free method");
    }
    return pgmap->owner == NULL ? refuse("missing owner") : 0;
}

static int check_type(const struct dev_pagemap *pgmap)
{
    switch (pgmap->type) {
    case MEMORY_DEVICE_PRIVATE:
    case MEMORY_DEVICE_COHERENT:
        return check_allocated(pgmap);
    case MEMORY_DEVICE_FS_DAX:
    case MEMORY_DEVICE_GENERIC:
    case MEMORY_DEVICE_PCI_P2PDMA:
        return 0;
    default:
        pm_warn("memremap_pages(): invalid memory type %d", (int)pgmap->type);
        return -EINVAL;
    }
}

int pm_check_pagemap(const struct dev_pagemap *pgmap)
{
    if (pgmap == NULL) {
        return refuse("no dev_pagemap");
    }
    if (pgmap->_mapped != NULL) {
        return refuse("it is mapped already");
    }
    if (pgmap->nr_range == 0) {
        return refuse("nr_range must be specified");
    }
    if (pgmap->vmemmap_shift > MAX_FOLIO_ORDER) {
        return refuse("vmemmap_shift is larger than MAX_FOLIO_ORDER");
    }
    return check_type(pgmap);
}

/* ---- a range ---- */

int pm_refuse_range(const struct dev_pagemap *pgmap, unsigned id, int error, const char *why)
{
    pm_warn("memremap_pages(): range %u, %#llx-%#llx, %s", id, (unsigned long long)pgmap->ranges[id].start,
            (unsigned long long)pgmap->ranges[id].end, why);
    return error;
}

/* Whether it is live, or being made: a dying one is reported later, by name. */
static bool is_live_or_coming(void *value)
{
    struct dev_pagemap *pgmap = value;

    return pm_is_reserved_value(value) || !percpu_ref_is_dying(&pgmap->ref);
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

int pm_check_conflict(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index)
{
    const struct range *range = &pgmap->ranges[id];

    return has_conflict(index, pm_first_pfn(range), pm_last_pfn(range))
               ? pm_refuse_range(pgmap, id, -ENOMEM, "conflicting mapping in the same range")
               : 0;
}

static bool is_system_ram(const struct dev_pagemap *pgmap, const struct range *range)
{
    return (pgmap->flags & PGMAP_SYSTEM_RAM) == 0 && range->end >= range->start && range_len(range) != 0 &&
           region_intersects(range->start, range_len(range), IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
               REGION_DISJOINT;
}

static bool is_aligned(const struct dev_pagemap *pgmap, const struct range *range)
{
    const uint64_t bounds = range->start | range_len(range);

    return bounds % SUBSECTION_SIZE == 0 && bounds % (pgmap_vmemmap_nr(pgmap) * PAGE_SIZE) == 0;
}

int pm_check_range(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index)
{
    const struct range *range = &pgmap->ranges[id];

    if (id > 0 && (pgmap->flags & PGMAP_ALTMAP_VALID) != 0) {
        return pm_refuse_range(pgmap, id, -EINVAL, "altmap not supported for multiple ranges");
    }
    if (pm_check_conflict(pgmap, id, index) != 0) {
        return -ENOMEM;
    }
    if (is_system_ram(pgmap, range)) {
        return pm_refuse_range(pgmap, id, -ENXIO, "attempted on a region of System RAM");
    }
    if (range->end < range->start || range_len(range) == 0) {
        return pm_refuse_range(pgmap, id, -EINVAL, "ends before it starts, or is all there is");
    }
    if (!is_aligned(pgmap, range)) {
        return pm_refuse_range(pgmap, id, -EINVAL, "misaligned: to SUBSECTION_SIZE and the compound page");
    }
    return range->end > PHYSMEM_END ? pm_refuse_range(pgmap, id, -ERANGE, "ends beyond PHYSMEM_END") : 0;
}
