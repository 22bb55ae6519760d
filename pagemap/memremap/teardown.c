// SPDX-License-Identifier: BSD-2-Clause
/* memunmap_pages(), killing and resurrecting. Kernel: mm/memremap.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/holders/report.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/pagemap.h"
#include "pagemap/poison/poison.h"

/* ---- the reference ---- */

/* The last access to pgmap is the store: the address alone wakes. */
void pm_reference_gone(struct percpu_ref *ref)
{
    struct dev_pagemap *pgmap = PM_CONTAINER_OF(ref, struct dev_pagemap, _ref);

    (void)pm_swap_full(&pgmap->_done, 1);
    pm_wake_var(&pgmap->_done);
}

static bool is_done(void *done)
{
    return pm_load_full(done) != 0;
}

/*
 * An extra reference is kept while it is dead, so that the last put cannot come before a resurrection and
 * declare it done after.
 */
int pm_kill(struct dev_pagemap *pgmap)
{
    if (pgmap->_killed == 0) {
        percpu_ref_get(&pgmap->_ref);
        pm_store_relaxed(&pgmap->_killed, 1);
        percpu_ref_kill(&pgmap->_ref);
        if (!percpu_ref_is_dying(&pgmap->_ref)) { /* membarrier(2) is refused */
            pm_store_relaxed(&pgmap->_killed, 0);
            percpu_ref_put(&pgmap->_ref);
            return -EPERM;
        }
    }
    return pm_synchronize();
}

void pm_drain(struct dev_pagemap *pgmap)
{
    pm_store_relaxed(&pgmap->_killed, 0); /* with the reference that goes: pgmap_nr_references() */
    percpu_ref_put(&pgmap->_ref);
    pm_wait_telling(&pgmap->_done, is_done, &pgmap->_done, pgmap);
}

/* ---- unmaking ---- */

/* A teardown has nobody to tell that memory is short: it waits until reclamation has brought some. */
static void erase_range(struct rangemap *index, const struct range *range)
{
    while (rangemap_erase_exact(index, pm_first_pfn(range), pm_last_pfn(range), NULL) == -ENOMEM) {
        (void)pm_barrier();
    }
}

/* The memmap first: with an altmap it lies in the linear map. The entry last: until then the pfns are taken. */
static void unmake_range(struct dev_pagemap *pgmap, unsigned id)
{
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];

    if (made->is_populated) {
        pm_poison_forget(made->span.start_pfn, made->span.start_pfn + made->span.nr_pfns - 1);
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

int pm_unmake(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped = pgmap->_mapped;
    int error;

    for (unsigned id = 0; id < pgmap->nr_range; id++) {
        unmake_range(pgmap, id);
    }
    error = pm_synchronize(); /* who found pgmap in the index has left its section */
    percpu_ref_exit(&pgmap->_ref);
    pgmap->_mapped = NULL;
    free(mapped);
    return error;
}

/* ---- the calls ---- */

int kill_dev_pagemap(struct dev_pagemap *pgmap)
{
    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL, "kill_dev_pagemap() of what is not mapped")) {
        return -EINVAL;
    }
    if (pgmap->_killed != 0) {
        return -EALREADY;
    }
    return pagemap_read_lock_held() ? -EDEADLK : pm_kill(pgmap);
}

int resurrect_dev_pagemap(struct dev_pagemap *pgmap)
{
    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL || pgmap->_killed == 0,
                   "resurrect_dev_pagemap() of what was not killed")) {
        return -EINVAL;
    }
    percpu_ref_resurrect(&pgmap->_ref);
    pm_store_relaxed(&pgmap->_killed, 0);
    percpu_ref_put(&pgmap->_ref);
    return 0;
}

int memunmap_pages(struct dev_pagemap *pgmap)
{
    int error;

    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL, "memunmap_pages() of what is not mapped")) {
        return -EINVAL;
    }
    if (pm_warn_on(pagemap_read_lock_held(), "memunmap_pages() inside a read section")) {
        return -EDEADLK;
    }
    error = pm_kill(pgmap);
    if (error != 0) {
        return error; /* a lookup may still succeed: nothing may go */
    }
    pm_drain(pgmap);
    error = pm_unmake(pgmap);
    (void)pm_warn_on(pgmap->altmap.alloc != 0, "memunmap_pages(): the altmap still has blocks");
    return error;
}

static void unmap_action(void *pgmap)
{
    (void)memunmap_pages(pgmap); /* WARNs if it fails */
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
