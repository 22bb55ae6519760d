// SPDX-License-Identifier: BSD-2-Clause
/* Whether an update may begin. */
#ifndef RANGEMAP_MAP_ADMIT_H
#define RANGEMAP_MAP_ADMIT_H

#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/enter.h"

/* The calling thread; or NULL and in *error why not: -ENOMEM, or -EBUSY over the hard limit. */
static inline struct rm_thread *rm_map_admit(struct rangemap *map, int *error)
{
    struct rm_thread *thread = rm_map_thread(map);

    *error = 0;
    if (RM_UNLIKELY(thread == NULL)) {
        *error = -ENOMEM;
    } else if (RM_UNLIKELY(rm_domain_is_over_hard_limit(map->domain))) {
        *error = rm_upkeep_below_limit(thread) ? 0 : -EBUSY;
    }
    return *error == 0 ? thread : NULL;
}

#endif
