// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: mm/memremap.c (6.1), find_dev_pagemap() of v4.5. */
#include <errno.h>
#include <pthread.h>

#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/record.h"
#include "pagemap/pagemap.h"

struct rangemap *pm_index;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int pm_index_create(void)
{
    struct rangemap_options options = {.domain = pm_domain()};
    struct rangemap *made;
    int error = 0;

    if (options.domain == NULL) {
        return -ENOMEM;
    }
    (void)pthread_mutex_lock(&lock);
    if (pm_index == NULL) {
        error = rangemap_create(&options, &made);
        if (error == 0) {
            __atomic_store_n(&pm_index, made, __ATOMIC_RELEASE);
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

struct dev_pagemap *pm_find(uint64_t pfn)
{
    struct rangemap *index = pm_index_get();
    void *value;

    if (index == NULL || rangemap_lookup(index, pfn, &value) != 0 || pm_is_reserved_value(value)) {
        return NULL;
    }
    return value;
}

struct dev_pagemap *find_dev_pagemap(phys_addr_t phys)
{
    (void)pm_warn_on(!pagemap_read_lock_held(), "find_dev_pagemap() outside of a read section");
    return pm_find(PHYS_PFN(phys));
}

/* The section spans lookup and tryget: a teardown waits for it between the kill and the free. */
struct dev_pagemap *pm_get(uint64_t pfn)
{
    struct rangemap *index = pm_index_get();
    struct dev_pagemap *pgmap = NULL;
    void *value;

    if (index == NULL || rangemap_read_begin(index) != 0) {
        return NULL;
    }
    if (rangemap_lookup_held(index, pfn, &value) == 0 && !pm_is_reserved_value(value)) {
        pgmap = value;
        if (!pm_ref_tryget_live(&pgmap->ref)) {
            pgmap = NULL;
        }
    }
    rangemap_read_end(index);
    return pgmap;
}

struct dev_pagemap *pm_hold(uint64_t pfn)
{
    struct rangemap *index = pm_index_get();
    struct dev_pagemap *pgmap;

    if (index == NULL || rangemap_read_begin(index) != 0) {
        return NULL;
    }
    pgmap = pm_find(pfn);
    if (pgmap != NULL && !percpu_ref_tryget(&pgmap->ref)) {
        pgmap = NULL;
    }
    rangemap_read_end(index);
    return pgmap;
}

struct dev_pagemap *get_dev_pagemap(uint64_t pfn, struct dev_pagemap *pgmap)
{
    if (pgmap != NULL) {
        if (pm_range_of(pgmap, pfn) >= 0) {
            return pgmap;
        }
        put_dev_pagemap(pgmap);
    }
    pgmap = pm_get(pfn);
    if (pgmap != NULL) {
        pm_record(pm_pagemap_key(pgmap), 1);
    }
    return pgmap;
}

struct dev_pagemap *get_dev_pagemap_of(uint64_t pfn)
{
    return get_dev_pagemap(pfn, NULL);
}

void put_dev_pagemap(struct dev_pagemap *pgmap)
{
    if (pgmap != NULL) {
        pm_forget(pm_pagemap_key(pgmap), 1);
        pm_put(pgmap);
    }
}

bool pgmap_pfn_valid(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    int range = pm_range_of(pgmap, pfn);
    uint64_t first;

    if (range < 0) {
        return false;
    }
    first = pm_first_pfn(&pgmap->ranges[range]);
    if ((pgmap->flags & PGMAP_ALTMAP_VALID) != 0) { /* then it has one range */
        first += vmem_altmap_offset(&pgmap->altmap);
    }
    return pfn >= first;
}

uint64_t pgmap_nr_references(const struct dev_pagemap *pgmap)
{
    uint64_t count = percpu_ref_count(&pgmap->ref);
    bool is_dying = percpu_ref_is_dying(&pgmap->ref);
    /* Its own: the initial one, or the one that it has while it is dead; none if it was never mapped. */
    uint64_t own = is_dying && pm_load_relaxed(&pgmap->_killed) == 0 ? 0 : 1;

    return count < own ? 0 : count - own;
}
