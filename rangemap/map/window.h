// SPDX-License-Identifier: BSD-2-Clause
/* The composer of splice, update, evict and clone: ranges are cut to a window, asked about, replaced, joined. */
#ifndef RANGEMAP_MAP_WINDOW_H
#define RANGEMAP_MAP_WINDOW_H

#include "rangemap/tree/rewrite.h"

struct rm_window;

/* Puts the new ranges of the window, with rm_window_put(). False: stopped. */
typedef bool rm_window_fill_fn(struct rm_window *window, struct rm_sink *sink);

/* A range on its way into the map: it may still be joined to its right neighbour. */
struct rm_piece {
    struct rangemap_entry entry;
    struct rangemap_entry tail; /* what was joined last: the right neighbour is compared with it */
    bool is_old;                /* a range of the map, as it is */
};

struct rm_window {
    uint64_t start, last;
    struct rangemap_rewrite how;
    rangemap_update_fn *function; /* what becomes of the ranges; NULL: they are dropped */
    void *function_context;
    bool is_plain;            /* without options: ranges wholly inside take a short way */
    bool evicts;              /* dropped whole, also what sticks out */
    rm_window_fill_fn *fill;  /* or NULL */
    rm_rewrite_done_fn *done; /* or NULL */
    const void *source;       /* for these: */
    size_t count;
    int error;                      /* why it refused */
    struct rangemap_entry conflict; /* and, if `in_the_way`, for what */
    /* How far it has got. */
    bool is_filled, in_the_way;
    uint64_t next; /* the lowest key behind the ranges seen */
    size_t matched;
    bool has_pending;
    struct rm_piece pending;
};

/* Whether gaps are asked about, as ranges are. */
static inline bool rm_window_asks_gaps(const struct rm_window *window)
{
    return window->how.gaps && window->function != NULL;
}

/* Its state is a struct rm_window. */
RM_INTERNAL extern const struct rm_composer rm_window_composer;

/* Rewrites [window->start, window->last]; 0 or an errno, as public functions return it. */
RM_INTERNAL int rm_window_run(struct rangemap *map, struct rm_window *window);

/* For fill: the next range. */
RM_INTERNAL bool rm_window_put(struct rm_window *window, struct rm_sink *sink, uint64_t start, uint64_t last,
                               void *value);

/* Runs a rewrite, whose composer leaves the reason for a refusal in *error, and pays for reclamation. */
RM_INTERNAL int rm_window_rewrite(const struct rm_rewrite *rewrite, const int *error);

#endif
