// SPDX-License-Identifier: BSD-2-Clause
/* Waiting that says for which holders. */
#ifndef PAGEMAP_HOLDERS_REPORT_H
#define PAGEMAP_HOLDERS_REPORT_H

#include "pagemap/base/wait.h"
#include "pagemap/holders.h"

/* pagemap_report_holders() for one mapping that stays, in all its ranges. */
PM_INTERNAL long pm_report_pagemap(struct dev_pagemap *pgmap, pagemap_holder_fn *report, void *context);

/*
 * pm_wait_var(); when it takes long, the warn function hears what holds `pgmap` (NULL: nothing is told), which the
 * caller keeps allocated until this returns.
 */
PM_INTERNAL void pm_wait_telling(const void *word, pm_condition_fn *done, void *context,
                                 struct dev_pagemap *pgmap);

#endif
