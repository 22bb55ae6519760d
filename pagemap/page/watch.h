// SPDX-License-Identifier: BSD-2-Clause
/* References of watchers, of which no report tells. */
#ifndef PAGEMAP_PAGE_WATCH_H
#define PAGEMAP_PAGE_WATCH_H

#include "pagemap/page/mapped.h"

/*
 * A reference of a caller that only looks, a report or a wait: no report tells of it. False: it has none, and none is
 * to be had. pre: the mapping stays meanwhile.
 */
PM_INTERNAL bool pm_watch(struct dev_pagemap *pgmap);
PM_INTERNAL void pm_unwatch(struct dev_pagemap *pgmap);

/* References, less those of watchers. pre: the caller is one. */
PM_INTERNAL uint64_t pm_nr_held(const struct dev_pagemap *pgmap);

#endif
