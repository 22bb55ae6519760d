// SPDX-License-Identifier: BSD-2-Clause
/* Checked mode: what it knows of maps, by their address: the last few thousand. */
#ifndef RANGEMAP_CHECKED_KNOWN_H
#define RANGEMAP_CHECKED_KNOWN_H

#include "rangemap/checked/thread.h"

#if defined(RM_IS_CHECKED)
struct rm_checked_kept;

/* It is there, with these callbacks (NULL: none). */
RM_INTERNAL void rm_checked_map_made(const struct rangemap *map, struct rm_checked_kept *callbacks);

/* It is destroyed, by a call at `where`; and after all it is not. */
RM_INTERNAL void rm_checked_map_gone(const struct rangemap *map, const void *where);
RM_INTERNAL void rm_checked_map_back(const struct rangemap *map);

/* Where it was destroyed; NULL: it was not, or nothing is known of it. */
RM_INTERNAL const void *rm_checked_destroyed_at(const struct rangemap *map);

/* What it was made with; NULL: none, or nothing is known of it. */
RM_INTERNAL struct rm_checked_kept *rm_checked_callbacks(const struct rangemap *map);
#endif
#endif
