// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory of a domain's nodes: slabs, in chunks that are taken when all others are in use and given back when
 * they are not. What is free and in no thread's cache is here, and lowest first.
 *
 * The first chunk is the pool's home. It begins with what belongs to the owner of the pool (the domain itself),
 * then come a few lines for nodes of any size, so that a small domain needs two pages, then the first table of the
 * books, then slabs.
 *
 * Nothing here locks. A thread that stops anywhere holds what it had taken, at most one slab more, or the pieces
 * that it was just giving back to the system: RM_DISCARD_SLABS slabs or a chunk.
 */
#ifndef RANGEMAP_MEMORY_POOL_H
#define RANGEMAP_MEMORY_POOL_H

#include "rangemap/memory/chunk.h"
#include "rangemap/memory/stripe.h"
#include "rangemap/memory/table.h"

enum { RM_DISCARD_SLABS = 8, RM_SETTLE_SLABS = RM_CHUNK_MAX_BYTES / RM_SLAB_BYTES };

/*
 * How long what was in use is kept, at most, and half of that at least: of a caller's allocator, and of our own
 * mappings.
 */
#define RM_PEAK_NS UINT64_C(10000000000)
#define RM_PEAK_MAPPED_NS UINT64_C(1000000000)

/* `tables`, `home`, `starter_at` and `allocator` are constant; the words are any thread's. */
struct rm_pool {
    struct rm_table *tables;
    struct rm_slab *home; /* the first chunk; its first slab has no header */
    size_t starter_at;    /* where in it the lines for any size begin */
    struct rangemap_chunk_allocator allocator;
    rm_word starter RM_LINE_ALIGNED;     /* which of those lines are free */
    rm_word chunk_bytes RM_LINE_ALIGNED; /* all chunks, tables included */
    rm_word node_bytes;                  /* what there is for nodes in slabs in use and in the starter */
    rm_word busy_slabs;                  /* not idle: a hint, for how much to keep */
    rm_word dirty_slabs;                 /* idle, with pages: a hint */
    rm_word idled;                       /* how often a slab became idle */
    rm_word peak_slabs;                  /* the most that were busy in this span of time: a hint */
    rm_word peak_before;                 /* and in the last one */
    rm_word peak_ns;                     /* when this one began, by the coarse clock */
};

/* Nodes of one slab, as bits. */
struct rm_slice {
    struct rm_slab *slab;
    uint64_t nodes;
};

/*
 * How a thread seeks what is free: on its stripe, then on all; lowest first, but not for the next `takes` times, in
 * which each thread has places of its own, so that threads do not queue for the same words: `near` while that has any,
 * then others. At first `random` is any number that other threads do not have.
 */
struct rm_seeker {
    uint32_t random, takes;
    struct rm_extent *near;  /* where it found something last; NULL: nothing, or it met another thread */
    struct rm_stripe stripe; /* which comes first */
};

/* Whether it has met another thread lately, and seeks apart from others. */
static inline bool rm_seeker_is_apart(const struct rm_seeker *seeker)
{
    return seeker->takes > 0;
}

/* What is where, counted; exact when no thread updates. */
struct rm_pool_usage {
    uint64_t chunk_bytes;
    uint64_t node_bytes;      /* for nodes, free or not, in slabs in use */
    uint64_t idle_bytes;      /* slabs of which all is free */
    uint64_t discarded_bytes; /* of these, without pages */
};

/* A pool's home: zeroed memory for the owner's `bytes`, a line's multiple; NULL: out of memory. */
RM_INTERNAL void *rm_pool_home(const struct rangemap_chunk_allocator *allocator, size_t bytes);

/* The pool in a home. `allocator` as above, NULL for mmap. */
RM_INTERNAL void rm_pool_init(struct rm_pool *pool, const struct rangemap_chunk_allocator *allocator,
                              void *home, size_t bytes);

/* Gives every chunk back, the home included. Nothing in the pool may be in use. */
RM_INTERNAL void rm_pool_destroy(struct rm_pool *pool);

/*
 * Takes up to `wanted` nodes, at least one, from the first slab of that size that has any, as `seeker` goes, else
 * from a slab that had none in use: of its stripe, then of all; if it may grow, else from a new chunk. False: nothing
 * is left.
 */
RM_INTERNAL bool rm_pool_take(struct rm_pool *pool, unsigned lines, unsigned wanted, bool grows,
                              struct rm_seeker *seeker, struct rm_slice *slice);

/* Takes a node from the lines for any size, or NULL. */
RM_INTERNAL void *rm_pool_take_starter(struct rm_pool *pool, unsigned lines);

/* Takes a whole slab; new chunks, if it comes to that, for `least` bytes more. NULL: nothing is left. */
RM_INTERNAL struct rm_slab *rm_pool_take_slab(struct rm_pool *pool, size_t least);

/* Makes a whole slab one for nodes of a size; all of them are the caller's. */
RM_INTERNAL struct rm_slice rm_pool_divide(struct rm_pool *pool, struct rm_slab *slab, unsigned lines);

/* Give back what was taken. May give what is free to the system or the allocator, a bounded piece. */
RM_INTERNAL void rm_pool_give(struct rm_pool *pool, unsigned lines, struct rm_slice slice);
RM_INTERNAL void rm_pool_give_starter(struct rm_pool *pool, const void *node, unsigned lines);
RM_INTERNAL void rm_pool_give_slab(struct rm_pool *pool, struct rm_slab *slab);

/*
 * Gives some back, but no more than about `most` slabs, if there is much more than needed. What was in use lately is
 * needed: to fetch it anew costs page faults; a caller's allocator, that knows of no pages, is asked still less often.
 */
RM_INTERNAL void rm_pool_settle(struct rm_pool *pool, uint64_t most);

/* The same, of our own mappings also what was in use lately, and all at once. */
RM_INTERNAL void rm_pool_settle_now(struct rm_pool *pool);

/* Gives everything that is wholly free to the system or the allocator; true if anything was. */
RM_INTERNAL bool rm_pool_trim(struct rm_pool *pool);

RM_INTERNAL struct rm_pool_usage rm_pool_measure(const struct rm_pool *pool);

/* Slabs that became idle, of an extent, are everybody's again. */
RM_INTERNAL void rm_pool_add_idle(struct rm_pool *pool, struct rm_extent *extent, uint64_t slabs);

/* Takes slabs that are idle out of the set, all of them or none. */
RM_INTERNAL bool rm_pool_claim_idle(struct rm_pool *pool, struct rm_extent *extent, uint64_t slabs);

/* Takes any slab that is idle into use. NULL: none is. */
RM_INTERNAL struct rm_slab *rm_pool_take_idle(struct rm_pool *pool);

/* A slab that no other thread has is taken into use. */
RM_INTERNAL struct rm_slab *rm_pool_open_slab(struct rm_pool *pool, struct rm_extent *extent, unsigned index);

/*
 * Adds a chunk, for `least` bytes if they fit in one, and takes its first slab; or one of a chunk that another thread
 * has added since the caller, before it looked for an idle one in vain, saw `seen_bytes` of chunks. NULL: out of
 * memory, for a small one as well.
 */
RM_INTERNAL struct rm_slab *rm_pool_grow(struct rm_pool *pool, size_t least, uint64_t seen_bytes);

/*
 * Gives back what is idle beyond the lowest `keep` slabs, in pieces until these are at least `most`; true if anything
 * was.
 */
RM_INTERNAL bool rm_pool_shrink(struct rm_pool *pool, uint64_t keep, uint64_t most);

#endif
