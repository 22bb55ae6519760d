// SPDX-License-Identifier: BSD-2-Clause
/* A file's life, and its lock. Kernel: fs/inode.c (6.1). */
#include "pagemap/mapping/mapping.h"

#include <errno.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/page/mapped.h"

int address_space_init(struct address_space *mapping, const char *name, void *host)
{
    struct rangemap_options options = {.domain = pm_domain()};
    struct address_space made = {.name = name, .host = host, ._users = 1, ._granule_pages = 1};
    int error;

    if (mapping == NULL) {
        return -EINVAL;
    }
    if (options.domain == NULL || pm_fault_here()) {
        return -ENOMEM;
    }
    error = pm_tables_create(options.domain);
    if (error != 0) {
        return error;
    }
    error = rangemap_create(&options, &made._pages);
    if (error == 0) {
        *mapping = made;
        (void)pthread_mutex_init(&mapping->_lock, NULL);
    }
    return error;
}

static bool has_no_users(void *users)
{
    return pm_load_full(users) == 0;
}

int address_space_destroy(struct address_space *mapping)
{
    bool busy;
    int error;

    if (pm_warn_on(mapping == NULL || mapping->_pages == NULL,
                   "address_space_destroy() of what is no file")) {
        return -EINVAL;
    }
    (void)pthread_mutex_lock(&mapping->_lock);
    busy = mapping->_nrpages > 0 || mapping->_views != NULL;
    (void)pthread_mutex_unlock(&mapping->_lock);
    if (busy) {
        return -EBUSY;
    }
    (void)pm_sub_full(&mapping->_users, 1);
    pm_wait_var(&mapping->_users, has_no_users, &mapping->_users);
    error = pm_synchronize(); /* a thread that found it by a page or an address has left its section */
    if (error != 0) {
        (void)pm_add_full(&mapping->_users, 1);
        return error;
    }
    (void)rangemap_destroy(mapping->_pages);
    (void)pthread_mutex_destroy(&mapping->_lock);
    mapping->_pages = NULL;
    return 0;
}

bool pm_mapping_tryget(struct address_space *mapping)
{
    return pm_add_unless_zero(&mapping->_users, 1);
}

void pm_mapping_put(struct address_space *mapping)
{
    uint64_t *users = &mapping->_users;

    if (pm_sub_full(users, 1) == 1) {
        pm_wake_var(users);
    }
}

/* Memory set aside counts for all maps together, so each is asked for what all may need. */
int pm_mapping_reserve(const struct address_space *mapping, unsigned updates)
{
    int error = pm_fault_here() ? -ENOMEM : rangemap_reserve(mapping->_pages, updates);

    if (error != 0) {
        return error;
    }
    error = rangemap_reserve(pm_tables()->associations, updates);
    return error != 0 ? error : rangemap_reserve(pm_tables()->present, updates);
}

void pm_mapping_lock(struct address_space *mapping)
{
    (void)pthread_mutex_lock(&mapping->_lock);
}

void pm_mapping_unlock(struct address_space *mapping)
{
    (void)pthread_mutex_unlock(&mapping->_lock);
}

void pm_mapping_bump(struct address_space *mapping)
{
    (void)pm_add_full(&mapping->_generation, 2);
}

/* Full: odd before the first step, even after the last. */
void pm_mapping_change_begin(struct address_space *mapping)
{
    (void)pm_add_full(&mapping->_generation, 1);
}

void pm_mapping_change_end(struct address_space *mapping)
{
    (void)pm_add_full(&mapping->_generation, 1);
}

uint64_t mapping_nr_pages(const struct address_space *mapping)
{
    return pm_load_acquire(&mapping->_nrpages);
}

const struct pagemap_memory *pm_page_memory(uint64_t pfn, uint64_t *offset)
{
    const struct dev_pagemap *pgmap = pm_find(pfn);
    const struct pm_mapped_range *range;
    int id;

    if (pgmap == NULL || pgmap->type == MEMORY_DEVICE_PRIVATE) {
        return NULL;
    }
    id = pm_range_of(pgmap, pfn);
    range = &pgmap->_mapped->range[id];
    *offset = range->span.offset + (pfn - pm_first_pfn(&pgmap->ranges[id])) * PAGE_SIZE;
    return range->memory;
}

void pm_forget_granule(struct address_space *mapping)
{
    if (mapping->_nrpages == 0 && mapping->_views == NULL) {
        mapping->_granule_pages = 1;
    }
}

void pm_round_to_granules(const struct address_space *mapping, uint64_t *first, uint64_t *last)
{
    *first &= ~(mapping->_granule_pages - 1);
    *last |= mapping->_granule_pages - 1;
}
