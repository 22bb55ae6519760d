// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the tree's nodes look like in memory. Keys and what they lead to lie on separate cache lines; a
 * search reads the first one or two lines of a node and then one more.
 *
 *   inner, 256 bytes     meta | 14 separators | prev      lines 0-1   never change, but for meta's stamp and prev
 *                        15 child slots | unused          lines 2-3   compare-and-swap
 *   leaf of 1..7         meta | 7 starts                  line 0
 *                        7 pairs {last, value} | prev     lines 1-2
 *   leaf of 8..15        meta | 15 starts                 lines 0-1
 *                        15 pairs | prev                  lines 2-5
 *
 * A leaf takes as many lines as its ranges need (2, 3, 5 or 6): leaves are replaced whole, so a size that
 * fits costs nothing, and half-full leaves waste little. `prev` is the last word of a leaf.
 *
 * All nodes are aligned to a cache line, so the low six bits of a node's address are free for tags.
 */
#ifndef RANGEMAP_NODE_LAYOUT_H
#define RANGEMAP_NODE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/base/atomic.h"
#include "rangemap/base/compiler.h"

/* How many entries the tree packs into a node; tests make it small to get deep trees of few ranges. */
#if !defined(RANGEMAP_LEAF_MAX)
#define RANGEMAP_LEAF_MAX 15
#endif
#if !defined(RANGEMAP_INNER_MAX)
#define RANGEMAP_INNER_MAX 15
#endif
enum {
    RM_LEAF_ROOM = 15, /* room in the layout */
    RM_INNER_ROOM = 15,
    RM_SMALL_LEAF_ROOM = 7,
    RM_LEAF_MAX = RANGEMAP_LEAF_MAX, /* what the tree makes use of */
    RM_INNER_MAX = RANGEMAP_INNER_MAX,
    RM_LEAF_MIN = (RM_LEAF_MAX + 1) / 4,   /* with fewer, look for a neighbour to merge with */
    RM_INNER_MIN = (RM_INNER_MAX + 1) / 4, /* with fewer, merge with a neighbour on the next rebuild */
    RM_HEIGHT_MAX = 16                     /* 8^16 leaves do not fit any address space */
};
_Static_assert(RM_LEAF_MAX >= 2 && RM_LEAF_MAX <= RM_LEAF_ROOM, "a leaf must fit its layout");
_Static_assert(RM_INNER_MAX >= 3 && RM_INNER_MAX <= RM_INNER_ROOM, "an inner node must fit its layout");

/*
 * meta: bits 0-4 count, 5-9 level (0: leaf), 10-63 stamp. Count and level never change after publication;
 * the stamp changes once, from RM_STAMP_NONE to the version in which the node replaced its predecessor.
 */
#define RM_META_STAMP_SHIFT 10
#define RM_STAMP_NONE ((UINT64_C(1) << 54) - 1)

struct rm_node {
    rm_word meta;
};

struct rm_inner {
    struct rm_node node;
    uint64_t separator[RM_INNER_ROOM - 1]; /* separator[i] is the lowest key of child i + 1 */
    rm_word prev;
    rm_word slot[RM_INNER_ROOM];
    uint64_t unused;
} RM_LINE_ALIGNED;

struct rm_pair {
    uint64_t last;
    void *value;
};

/* The first lines of every leaf; use the functions below for the rest. */
struct rm_leaf {
    struct rm_node node;
    uint64_t start[RM_SMALL_LEAF_ROOM]; /* goes on to RM_LEAF_ROOM in leaves of more */
} RM_LINE_ALIGNED;

_Static_assert(sizeof(struct rm_inner) == 4 * RM_CACHE_LINE, "an inner node is four lines");
_Static_assert(offsetof(struct rm_inner, slot) == 2 * RM_CACHE_LINE, "slots have their own lines");
_Static_assert(sizeof(struct rm_leaf) == RM_CACHE_LINE, "a leaf's header is one line");

/* A node's size in cache lines; the sizes are the pool's classes. */
enum { RM_LINES_MIN = 2, RM_LINES_MAX = 6, RM_INNER_LINES = 4 };

static inline unsigned rm_meta_count(uint64_t meta)
{
    return (unsigned)(meta & 31);
}

static inline unsigned rm_meta_level(uint64_t meta)
{
    return (unsigned)(meta >> 5) & 31;
}

static inline uint64_t rm_meta_stamp(uint64_t meta)
{
    return meta >> RM_META_STAMP_SHIFT;
}

/* One comparison: the stamp is the highest part, and none is its greatest value. */
static inline bool rm_meta_is_stamped(uint64_t meta)
{
    return meta < RM_STAMP_NONE << RM_META_STAMP_SHIFT;
}

static inline uint64_t rm_meta(unsigned count, unsigned level, uint64_t stamp)
{
    return count | (uint64_t)level << 5 | stamp << RM_META_STAMP_SHIFT;
}

static inline uint64_t rm_meta_with_stamp(uint64_t meta, uint64_t stamp)
{
    return (meta & ((UINT64_C(1) << RM_META_STAMP_SHIFT) - 1)) | stamp << RM_META_STAMP_SHIFT;
}

/* Relaxed: count and level were written before the node was published. */
static inline unsigned rm_node_count(const struct rm_node *node)
{
    return rm_meta_count(rm_load_immutable(&node->meta));
}

static inline unsigned rm_node_level(const struct rm_node *node)
{
    return rm_meta_level(rm_load_immutable(&node->meta));
}

static inline struct rm_inner *rm_inner(const struct rm_node *node)
{
    return (struct rm_inner *)(uintptr_t)node;
}

static inline struct rm_leaf *rm_leaf(const struct rm_node *node)
{
    return (struct rm_leaf *)(uintptr_t)node;
}

/* A node's keys: separators or starts. They begin in the word after meta in both. */
static inline uint64_t *rm_node_keys(const struct rm_node *node)
{
    return (uint64_t *)(uintptr_t)node + 1;
}

/* 2, 3, 5 or 6 for up to 3, 7, 11 or 15 ranges: a table of nibbles, since branches would be guesses. */
static inline unsigned rm_leaf_lines(unsigned count)
{
    return (unsigned)(UINT64_C(0x6666555533332222) >> 4 * count) & 7;
}

static inline struct rm_pair *rm_leaf_pairs(const struct rm_leaf *leaf, unsigned count)
{
    size_t key_lines = count <= RM_SMALL_LEAF_ROOM ? 1 : 2;

    return (struct rm_pair *)((uintptr_t)leaf + key_lines * RM_CACHE_LINE);
}

static inline unsigned rm_node_lines(unsigned count, unsigned level)
{
    return level > 0 ? RM_INNER_LINES : rm_leaf_lines(count);
}

static inline uint64_t rm_node_bytes(const struct rm_node *node)
{
    return (uint64_t)rm_node_lines(rm_node_count(node), rm_node_level(node)) * RM_CACHE_LINE;
}

/*
 * Where the older version of a node's slot is kept: the address of a node, or 0, and RM_UNSETTLED in bit 0 from the
 * node's publication until its writer has settled which one that is (tree/version.h). Written by the writer only.
 */
static inline rm_word *rm_prev_of(const struct rm_node *node, unsigned count, unsigned level)
{
    if (level > 0) {
        return &rm_inner(node)->prev;
    }
    return (rm_word *)((uintptr_t)node + (size_t)rm_leaf_lines(count) * RM_CACHE_LINE) - 1;
}

static inline rm_word *rm_node_prev(const struct rm_node *node, uint64_t meta)
{
    return rm_prev_of(node, rm_meta_count(meta), rm_meta_level(meta));
}

#define RM_UNSETTLED UINT64_C(1)

static inline struct rm_node *rm_prev_node(uint64_t word)
{
    return (struct rm_node *)(uintptr_t)(word & ~RM_UNSETTLED);
}

/*
 * ---- slots: a node's address, FROZEN, and a gap class (node/gap_class.h), which is 0 in maps that track none ----
 *
 * The address is bits 6-56: memory/chunk.c refuses what lies elsewhere. FROZEN is bit 5. The class is bits 57-63 and
 * 0-4, which a rotation brings together.
 */
#define RM_SLOT_ADDRESS UINT64_C(0x01ffffffffffffc0)
#define RM_FROZEN UINT64_C(0x20)

enum { RM_CLASS_SHIFT = 64 - RM_ADDRESS_BITS, RM_CLASS_BITS = 12, RM_CLASS_END = 1 << RM_CLASS_BITS };

/*
 * The mask is no immediate operand. Compilers would keep it in a register, which costs lookups more than an operand in
 * memory does: loaded by the way, never waited for.
 */
RM_ALWAYS_INLINE struct rm_node *rm_slot_node(uint64_t word)
{
#if defined(__x86_64__)
    static const uint64_t mask = RM_SLOT_ADDRESS;
    struct rm_node *node;

    __asm__("andq %2, %0" : "=r"(node) : "0"(word), "m"(mask) : "cc");
    return node;
#else
    return (struct rm_node *)(uintptr_t)(word & RM_SLOT_ADDRESS);
#endif
}

static inline unsigned rm_slot_class(uint64_t word)
{
    return (unsigned)(word << RM_CLASS_SHIFT | word >> (64 - RM_CLASS_SHIFT)) & (RM_CLASS_END - 1);
}

/* Whether a slot still holds a node, unfrozen, whatever became of its class. */
static inline bool rm_slot_is_same(uint64_t word, uint64_t unfrozen)
{
    return ((word ^ unfrozen) & (RM_SLOT_ADDRESS | RM_FROZEN)) == 0;
}

/* An unfrozen slot's word. */
static inline uint64_t rm_slot_word(const struct rm_node *node, unsigned gap_class)
{
    uint64_t bits = gap_class;

    return rm_pointer_bits(node) | bits >> RM_CLASS_SHIFT | bits << (64 - RM_CLASS_SHIFT);
}

_Static_assert(
    (RM_FROZEN | RM_UNSETTLED) < RM_CACHE_LINE,
    "tags lie in bits that alignment leaves free: the upper ones may be the address's (52 bits on arm64) or "
    "the allocator's (memory tagging)");

static inline bool rm_slot_is_frozen(uint64_t word)
{
    return (word & RM_FROZEN) != 0;
}

#endif
