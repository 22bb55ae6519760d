// SPDX-License-Identifier: BSD-2-Clause
/* How public functions get from a map to the calling thread's record and section. */
#ifndef RANGEMAP_MAP_ENTER_H
#define RANGEMAP_MAP_ENTER_H

#include <errno.h>

#include "rangemap/epoch/attach.h"
#include "rangemap/tree/tree.h"

/* NULL: out of memory. */
static inline struct rm_thread *rm_map_thread(const struct rangemap *map)
{
    return rm_thread_current(map->domain);
}

/* Begins a section for a read of `map`. NULL: out of memory. */
static inline struct rm_thread *rm_map_enter(const struct rangemap *map)
{
    struct rm_thread *thread = rm_map_thread(map);

    if (RM_LIKELY(thread != NULL)) {
        rm_section_enter(thread);
    }
    return thread;
}

#endif
