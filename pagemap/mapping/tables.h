// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rangemaps of files and views. Entries are runs of pages. A value that depends on the place is kept as a
 * difference, the same along a run, so that a run can be cut without touching the value.
 */
#ifndef PAGEMAP_MAPPING_TABLES_H
#define PAGEMAP_MAPPING_TABLES_H

#include <stdint.h>

#include "pagemap/base/compiler.h"
#include "pagemap/types.h"
#include "rangemap/rangemap.h"

struct address_space;

/* Owned by the entries that refer to it. Never changes but for the count. Freed after a grace period. */
struct pm_association {
    struct address_space *mapping;
    uint64_t index_difference; /* index - pfn */
    uint64_t entries;
};

struct pm_tables {
    struct rangemap *associations; /* pfn -> struct pm_association */
    struct rangemap *views;        /* vpn -> struct pm_view */
    struct rangemap *present;      /* vpn -> pfn - vpn, under the lock of the view's file */
};

/* Made with the first file; NULL before. */
PM_INTERNAL const struct pm_tables *pm_tables(void);

/* Makes them. -ENOMEM. */
PM_INTERNAL int pm_tables_create(struct rangemap_domain *domain);

static inline void *pm_difference(uint64_t to, uint64_t from)
{
    return (void *)(uintptr_t)(to - from);
}

static inline uint64_t pm_translate(const void *difference, uint64_t from)
{
    return from + (uint64_t)(uintptr_t)difference;
}

/* Virtual page number. */
static inline uint64_t pm_vpn(const void *address)
{
    return (uint64_t)(uintptr_t)address >> PAGE_SHIFT;
}

/* Cuts `entry` down to [first, last], with which it shares a key. */
static inline void pm_clip(struct rangemap_entry *entry, uint64_t first, uint64_t last)
{
    entry->start = entry->start < first ? first : entry->start;
    entry->last = entry->last > last ? last : entry->last;
}

#endif
