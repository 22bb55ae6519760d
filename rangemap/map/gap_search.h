// SPDX-License-Identifier: BSD-2-Clause
/*
 * The search for a free stretch of keys. In maps that track gaps it passes the subtrees whose class says that nothing
 * in them serves; in others it walks over all ranges.
 */
#ifndef RANGEMAP_MAP_GAP_SEARCH_H
#define RANGEMAP_MAP_GAP_SEARCH_H

#include "rangemap/tree/gaps.h"
#include "rangemap/tree/walk.h"

struct rm_gap_search {
    const struct rangemap *map;
    const struct rangemap_gap_request *request;
    uint64_t version;   /* RM_VERSION_CURRENT: no common instant */
    uint64_t mask;      /* alignment - 1 */
    uint64_t low, high; /* the window, or what is left of it behind the hint */
    unsigned gap_class; /* of the length wanted: less does not serve */
    uint64_t edge, far; /* the nearest key that may be free, and the last of what is being walked */
    bool ended;         /* nothing better can come */
    bool found;         /* out: */
    uint64_t start;     /*   the start found */
    uint64_t surplus;   /*   last - first of the gap it lies in, for best fit */
    uint64_t visits;    /*   nodes looked into */
    unsigned
        loose_count; /*   the first nodes whose slots promised more than there was, children before parents */
    struct rm_loose {
        uint64_t key; /* in its span */
        unsigned level;
    } loose[RM_LOOSE_MAX];
};

/* Whether the request makes sense; and the search for it, not begun. */
RM_INTERNAL bool rm_gap_search_init(struct rm_gap_search *search, const struct rangemap *map,
                                    const struct rangemap_gap_request *request);

/* Exact at one instant; wait-free. In a section of its own. 0: it is at `start`; -ENOSPC: there is none; -ENOMEM. */
RM_INTERNAL int rm_gap_search_exact(struct rm_gap_search *search);

/* As above, but of what it meets on its way through the tree as it is: a candidate, or none was met. */
RM_INTERNAL int rm_gap_search_current(struct rm_gap_search *search);

#endif
