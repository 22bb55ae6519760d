// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages() and memunmap_pages(). Kernel: mm/memremap.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
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

static int check_range(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index)
{
    const struct range *range = &pgmap->ranges[id];
    uint64_t len = range_len(range);
    uint64_t align = SUBSECTION_SIZE;

    if (id > 0 && (pgmap->flags & PGMAP_ALTMAP_VALID) != 0) {
        return -EINVAL;
    }
    if (pm_warn_on(has_conflict(index, pm_first_pfn(range), pm_last_pfn(range)),
                   "memremap_pages(): conflicting mapping in the same range")) {
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

/* Nobody else can have these pfns from here on. */
static int reserve_range(struct dev_pagemap *pgmap, unsigned id)
{
    struct pm_mapped *mapped = pgmap->_mapped;
    const struct range *range = &pgmap->ranges[id];
    struct rangemap_entry conflict;
    int error = pm_fault_here() ? -ENOMEM
                                : rangemap_insert(mapped->index, pm_first_pfn(range), pm_last_pfn(range),
                                                  pm_reserved_value(pgmap), &conflict);

    mapped->range[id].is_reserved = error == 0;
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

/* ---- unmaking ---- */

/* A teardown has nobody to tell that memory is short: it waits until reclamation has brought some. */
static void erase_range(struct rangemap *index, const struct range *range)
{
    while (rangemap_erase_exact(index, pm_first_pfn(range), pm_last_pfn(range), NULL) == -ENOMEM) {
        pm_barrier();
    }
}

/* The memmap first: with an altmap it lies in the linear map. The entry last: until then the pfns are taken. */
static void unmake_range(struct dev_pagemap *pgmap, unsigned id)
{
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];

    if (made->is_populated) {
        pm_vmemmap_depopulate(&made->span);
    }
    if (made->linear != NULL) {
        (void)munmap(made->linear, range_len(&pgmap->ranges[id]));
    }
    pm_memory_unuse(made->memory);
    if (made->is_reserved) {
        erase_range(pgmap->_mapped->index, &pgmap->ranges[id]);
    }
}

/* What map and unmap have in common at the end. pre: the reference is dead and zero. */
static void unmake(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped = pgmap->_mapped;

    for (unsigned id = 0; id < pgmap->nr_range; id++) {
        unmake_range(pgmap, id);
    }
    pm_synchronize(); /* who found pgmap in the index has left its section */
    percpu_ref_exit(&pgmap->_ref);
    pgmap->_mapped = NULL;
    free(mapped);
}

/* ---- the reference ---- */

/* The last access to pgmap is the store: the address alone wakes. */
static void reference_gone(struct percpu_ref *ref)
{
    struct dev_pagemap *pgmap = PM_CONTAINER_OF(ref, struct dev_pagemap, _ref);

    (void)pm_swap_full(&pgmap->_done, 1);
    pm_wake_var(&pgmap->_done);
}

static bool is_done(void *done)
{
    return pm_load_full(done) != 0;
}

/* After it no get succeeds (the grace period), and no page and no holder has a reference (the wait). */
static void kill_and_drain(struct dev_pagemap *pgmap)
{
    percpu_ref_kill(&pgmap->_ref);
    pm_synchronize();
    pm_wait_var(&pgmap->_done, is_done, &pgmap->_done);
}

/* ---- the calls ---- */

/* Sets up what all ranges share; on failure nothing is. */
static int begin_mapping(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped;
    int error = percpu_ref_init(&pgmap->_ref, reference_gone, 0);

    if (error != 0) {
        return error;
    }
    pgmap->_done = 0;
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
        kill_and_drain(pgmap);
        unmake(pgmap);
        pgmap->altmap.align = 0;
        return ERR_PTR(error);
    }
    return pgmap->_mapped->range[0].linear;
}

void memunmap_pages(struct dev_pagemap *pgmap)
{
    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL, "memunmap_pages() of what is not mapped")) {
        return;
    }
    kill_and_drain(pgmap);
    unmake(pgmap);
    (void)pm_warn_on(pgmap->altmap.alloc != 0, "memunmap_pages(): the altmap still has blocks");
}

static void unmap_action(void *pgmap)
{
    memunmap_pages(pgmap);
}

void *devm_memremap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    void *linear = memremap_pages(pgmap, -1);
    int error;

    if (IS_ERR(linear)) {
        return linear;
    }
    error = devm_add_action_or_reset(dev, unmap_action, pgmap);
    return error == 0 ? linear : ERR_PTR(error);
}

void devm_memunmap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    (void)devm_release_action(dev, unmap_action, pgmap);
}
