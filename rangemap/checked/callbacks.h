// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checked mode: what stands in for the program's callbacks. Those that must be pure are counted; `displaced` runs in a
 * section of the library's, which the program may use as one of its own; values that are handed over may be touched.
 */
#ifndef RANGEMAP_CHECKED_CALLBACKS_H
#define RANGEMAP_CHECKED_CALLBACKS_H

#include "rangemap/checked/check.h"

#if defined(RM_IS_CHECKED)
/* For `displaced`: its context is this. */
struct rm_checked_displaced {
    rangemap_displaced_fn *function;
    void *context;
    const struct rm_checked_call *call;
};
RM_INTERNAL void rm_checked_tell_displaced(const struct rangemap_entry *entry, void *context);

/* Whether the map releases its values. */
RM_INTERNAL bool rm_checked_is_owner(const struct rangemap *map);

/* For equality. */
struct rm_checked_equality {
    rangemap_equal_fn *function;
    void *context;
    bool is_owned; /* the values are their map's */
};
RM_INTERNAL bool rm_checked_ask_equal(const struct rangemap_entry *left, const struct rangemap_entry *right,
                                      void *context);

/* For what decides in rangemap_update(). */
struct rm_checked_decision {
    rangemap_update_fn *function;
    void *context;
    int refused; /* what it refused with last; 0: nothing */
    bool is_owned;
};
RM_INTERNAL int rm_checked_ask_update(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                                      void **value, void *context);

/* For those in `how`, which has one context for both: a copy that calls the ones above. */
struct rm_checked_rewrite {
    struct rangemap_rewrite how;
    struct rm_checked_displaced displaced;
    struct rm_checked_equality equality;
};
RM_INTERNAL const struct rangemap_rewrite *rm_checked_rewrite(struct rm_checked_rewrite *ours,
                                                              const struct rangemap_rewrite *how,
                                                              const struct rm_checked_call *call);

/* Those of a map, kept from its creation until none of them runs any more. */
struct rm_checked_kept {
    struct rangemap_options theirs;
    struct rm_checked_kept *next; /* of the free ones */
    rangemap_ended_fn *ended;     /* of rangemap_destroy_later(), */
    void *ended_context;          /*   and its context */
};

/* Keeps `options`, and writes to *ours what calls them. NULL: out of memory. */
RM_INTERNAL struct rm_checked_kept *rm_checked_keep(const struct rangemap_options *options,
                                                    struct rangemap_options *ours);
RM_INTERNAL void rm_checked_forget(struct rm_checked_kept *place); /* or NULL */
RM_INTERNAL void rm_checked_kept_fork_child(void);
#endif
#endif
