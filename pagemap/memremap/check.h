// SPDX-License-Identifier: BSD-2-Clause
/* What memremap_pages() refuses, each with a WARN that says why, in the order of the table in memremap.h. */
#ifndef PAGEMAP_MEMREMAP_CHECK_H
#define PAGEMAP_MEMREMAP_CHECK_H

#include "pagemap/page/mapped.h"

PM_INTERNAL int pm_check_pagemap(const struct dev_pagemap *pgmap);
PM_INTERNAL int pm_check_range(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index);

/* -ENOMEM, with a WARN, if range `id` overlaps a mapping that is not dying. */
PM_INTERNAL int pm_check_conflict(const struct dev_pagemap *pgmap, unsigned id, struct rangemap *index);

/* WARNs that range `id` cannot be mapped since it `why`; returns `error`. */
PM_INTERNAL int pm_refuse_range(const struct dev_pagemap *pgmap, unsigned id, int error, const char *why);

#endif
