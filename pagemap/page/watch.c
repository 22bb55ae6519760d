// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/page/watch.h"

#include <pthread.h>

/* Under it, as many have a reference on a dev_pagemap as it says. */
static pthread_mutex_t watchers_lock = PTHREAD_MUTEX_INITIALIZER;

bool pm_watch(struct dev_pagemap *pgmap)
{
    bool got;

    (void)pthread_mutex_lock(&watchers_lock);
    got = percpu_ref_tryget(&pgmap->ref);
    if (got) {
        pgmap->_mapped->watchers++;
    }
    (void)pthread_mutex_unlock(&watchers_lock);
    return got;
}

/* What is counted goes with the last reference. */
void pm_unwatch(struct dev_pagemap *pgmap)
{
    (void)pthread_mutex_lock(&watchers_lock);
    pgmap->_mapped->watchers--;
    pm_put(pgmap);
    (void)pthread_mutex_unlock(&watchers_lock);
}

uint64_t pm_nr_held(const struct dev_pagemap *pgmap)
{
    uint64_t held;

    (void)pthread_mutex_lock(&watchers_lock);
    held = pgmap_nr_references(pgmap) - pgmap->_mapped->watchers;
    (void)pthread_mutex_unlock(&watchers_lock);
    return held;
}
