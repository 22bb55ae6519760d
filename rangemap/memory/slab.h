// SPDX-License-Identifier: BSD-2-Clause
/*
 * A slab: 8 KiB of memory, aligned, for nodes of one size while it is in use. Its first line says what it is;
 * which of its nodes are free is told by one word outside of it, a bit for each, see memory/table.h. So no thread
 * ever reads in memory that is free, and a slab whose nodes are all free can take another size or be given back.
 */
#ifndef RANGEMAP_MEMORY_SLAB_H
#define RANGEMAP_MEMORY_SLAB_H

#include "rangemap/base/sanitizer.h"
#include "rangemap/node/layout.h"

enum {
    RM_SLAB_BYTES = 8 << 10,
    RM_SLAB_LINES = RM_SLAB_BYTES / RM_CACHE_LINE - 1, /* for nodes */
    RM_SIZES = RM_LINES_MAX - RM_LINES_MIN + 1
};

_Static_assert(RM_SLAB_LINES / RM_LINES_MIN <= 64, "the nodes of a slab are bits of one word");

struct rm_extent;

/*
 * Written by the thread that takes the slab into use, before anyone else gets a node of it. From then on constant
 * until every node of it is free: a holder of one may read.
 */
struct rm_slab {
    struct rm_extent *extent;
    unsigned index;       /* in the extent */
    unsigned lines;       /* of its nodes */
    struct rm_slab *next; /* of those that a thread has set aside */
} RM_LINE_ALIGNED;

static inline unsigned rm_slab_nodes(unsigned lines)
{
    return RM_SLAB_LINES / lines;
}

/* All nodes of a slab, as bits. */
static inline uint64_t rm_slab_all(unsigned lines)
{
    return ~UINT64_C(0) >> (64 - rm_slab_nodes(lines));
}

static inline struct rm_slab *rm_slab_of(const void *node)
{
    return (struct rm_slab *)((uintptr_t)node & ~(uintptr_t)(RM_SLAB_BYTES - 1));
}

static inline void *rm_slab_node(const struct rm_slab *slab, unsigned i, unsigned lines)
{
    return (void *)((uintptr_t)slab + RM_CACHE_LINE + (uintptr_t)i * lines * RM_CACHE_LINE);
}

static inline unsigned rm_slab_index_of(const struct rm_slab *slab, const void *node, unsigned lines)
{
    return (unsigned)(((uintptr_t)node - (uintptr_t)slab) / RM_CACHE_LINE - 1) / lines;
}

/* The lowest `count` bits of a set. */
static inline uint64_t rm_bits_lowest(uint64_t bits, unsigned count)
{
    uint64_t rest = bits;

    while (rest != 0 && count-- > 0) {
        rest &= rest - 1;
    }
    return bits & ~rest;
}

static inline unsigned rm_bits_first(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

static inline unsigned rm_bits_count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* The n-th bit of a set that is not empty, counted round and round. */
static inline unsigned rm_bits_nth(uint64_t bits, unsigned n)
{
    for (n %= rm_bits_count(bits); n > 0; n--) {
        bits &= bits - 1;
    }
    return rm_bits_first(bits);
}

#endif
