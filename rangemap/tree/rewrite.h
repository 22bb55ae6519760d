// SPDX-License-Identifier: BSD-2-Clause
/*
 * A rewrite: in one step, what a window holds gives way to what a composer makes of it, or the composer refuses.
 * See "Windows" in docs/design.md.
 */
#ifndef RANGEMAP_TREE_REWRITE_H
#define RANGEMAP_TREE_REWRITE_H

#include "rangemap/tree/stream.h"

struct rm_rewrite;

/* Where a composer says what becomes of the window. */
struct rm_sink {
    const struct rm_rewrite *rewrite;
    struct rm_thread *thread;
    const struct rm_values *values;
    struct rm_stream *stream; /* NULL: it is composed once more, to report what was displaced */
    bool changed;             /* something was displaced or put */
    bool shares_value;        /* `shared` is in two ranges now */
    void *shared;
    enum rm_outcome outcome; /* why the composer was stopped */
};

/*
 * Makes something of ranges. It runs several times, with the same outcome each time for the same ranges: begin, visits
 * of all ranges that share a key with the route, some at a time, in order - of those in the outermost leaves alone,
 * unless it sees all - and finish. What it puts and keeps is in order, too. False: it was stopped, and passes that on.
 */
struct rm_composer {
    void (*begin)(void *state);
    bool (*visit)(void *state, struct rm_sink *sink, const struct rangemap_entry *entries, unsigned count);
    bool (*finish)(void *state, struct rm_sink *sink);
};

/* What is looked at before anything is frozen. */
enum rm_peek {
    RM_PEEK_NOT,
    RM_PEEK_FREE, /* the composer refuses as soon as it is shown a range of the window */
    RM_PEEK_HELD  /* without a range in the window there is nothing to do */
};

/* After the compare-and-swap, inside the section: what was displaced is not released before. */
typedef void rm_rewrite_done_fn(const struct rm_rewrite *rewrite);

struct rm_rewrite {
    struct rangemap *map;
    uint64_t start, last; /* the window */
    bool looks_around;    /* the route is one key wider on either side */
    bool sees_all;        /* else all ranges that it does not see are displaced */
    enum rm_peek peek;
    uint64_t puts; /* about how many ranges it puts */
    const struct rm_composer *composer;
    void *state;
    rm_rewrite_done_fn *done;         /* or NULL */
    rangemap_displaced_fn *displaced; /* or NULL */
    void *displaced_context;
};

/*
 * RM_DONE; RM_NOTHING: the composer changed nothing; RM_REFUSED; RM_NO_MEMORY. Lock-free; a section of its own. Runs
 * the callbacks of rewrite and map.
 */
RM_INTERNAL enum rm_outcome rm_rewrite(struct rm_thread *thread, const struct rm_rewrite *rewrite);

/* ---- for composers ---- */

/* The next range is a new one. */
RM_INTERNAL bool rm_sink_put(struct rm_sink *sink, uint64_t start, uint64_t last, void *value);

/* The next range is one that was there. */
RM_INTERNAL bool rm_sink_keep(struct rm_sink *sink, const struct rangemap_entry *entry);

/* A range that was there is no more; `owners` (0, 1, 2) ranges that are put carry on the ownership of its value. */
RM_INTERNAL bool rm_sink_displace(struct rm_sink *sink, const struct rangemap_entry *entry, unsigned owners);

/* A value that was to be put is not, and so has no owner. */
RM_INTERNAL bool rm_sink_release(struct rm_sink *sink, void *value);

/* Whether a range that gives way is neither reported now nor released: then what is put and kept is all that counts. */
static inline bool rm_sink_only_puts(const struct rm_sink *sink)
{
    return sink->stream != NULL && sink->values->release == NULL;
}

/* In that case: where the next ranges, up to `count` and no more than a leaf holds, may be appended. NULL: stopped. */
RM_INTERNAL struct rm_run *rm_sink_room(struct rm_sink *sink, unsigned count);

/* The rewrite is off. False, always. */
static inline bool rm_sink_refuse(struct rm_sink *sink)
{
    sink->outcome = RM_REFUSED;
    return false;
}

#endif
