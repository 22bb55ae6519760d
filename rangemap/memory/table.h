// SPDX-License-Identifier: BSD-2-Clause
/*
 * The books of a pool: which slabs there are, and which of them have free nodes. They lie outside of what they
 * describe and are kept until the pool's end, so that any thread may read them at any time, however late.
 *
 *   table    up to 64 extents. More tables are appended as the pool grows.
 *   extent   up to 64 slabs side by side: a chunk, or a quarter or half of a large one.
 *
 * Three levels of bits lead to what is free, lowest first: a table's word for extents, an extent's for slabs, and
 * a slab's for nodes. Only the last one decides; the others are hints: a bit may be set for nothing, but it is
 * clear for long only where nothing is. A thread that makes something free sets the bit above it afterwards;
 * one that finds nothing clears the bit, looks again, and sets it if there is something now. Both pass a full fence
 * between, so one of the two sees the other. A thread that stops between these steps hides what became free
 * meanwhile, until more becomes free there; before memory is asked for or refused, tables' words are not believed.
 */
#ifndef RANGEMAP_MEMORY_TABLE_H
#define RANGEMAP_MEMORY_TABLE_H

#include "rangemap/base/atomic.h"
#include "rangemap/memory/slab.h"

/* Sets of slabs: those with free nodes of each size, and those that are free as a whole. */
enum { RM_SET_IDLE = RM_SIZES, RM_SETS };

/* How many extents are looked at for slabs that are better than others, not for any. */
enum { RM_FIND_EXTENTS = 8 };

enum { RM_EXTENT_SLABS = 64, RM_TABLE_EXTENTS = 64, RM_EXTENT_BYTES = RM_EXTENT_SLABS * RM_SLAB_BYTES };

struct rm_table;

/*
 * The writers:
 *   set          any thread. In RM_SET_IDLE a bit is a fact: clearing it, by compare-and-swap, takes the slab
 *   clean        a bit by the slab's owner, or the thread that owns it when it is idle
 *   base, whole, chunk_bytes    the owner of all slabs of the chunk, before the first of them is idle
 *   free         any thread takes and gives nodes. 0 while the slab is idle or has an owner
 */
struct rm_extent {
    rm_word set[RM_SETS];
    rm_word
        clean; /* idle slabs without pages, but for larger ones that others are in: never touched, or given back */
    rm_word base;                  /* address of slab 0 */
    rm_word table RM_LINE_ALIGNED; /* which this is in: always the same, written as the extent is claimed */
    rm_word whole;                 /* RM_SET_IDLE if all slabs are free; 0 if some never are */
    rm_word chunk_bytes; /* of the chunk that begins here; 0: none does, or it is the pool's first */
    rm_word free[RM_EXTENT_SLABS] RM_LINE_ALIGNED;
} RM_LINE_ALIGNED;

struct rm_table {
    rm_word set[RM_SETS]; /* extents that may have such slabs */
    rm_word unused;       /* extents that belong to no chunk; clearing a bit takes the extent */
    rm_word next;         /* table, set once */
    unsigned extents RM_LINE_ALIGNED;
    struct rm_extent extent[];
};

static inline size_t rm_table_bytes(unsigned extents)
{
    return sizeof(struct rm_table) + extents * sizeof(struct rm_extent);
}

/* A table in zeroed memory. */
RM_INTERNAL void rm_table_init(struct rm_table *table, unsigned extents);

static inline struct rm_table *rm_table_next(const struct rm_table *table)
{
    return rm_load_pointer(&table->next);
}

/* By an owner of something of the extent; the compare-and-swap that made it one has ordered this after the store. */
static inline struct rm_slab *rm_extent_slab(const struct rm_extent *extent, unsigned index)
{
    return (struct rm_slab *)(uintptr_t)(rm_load_relaxed(&extent->base) + (uint64_t)index * RM_SLAB_BYTES);
}

/* The slabs of the `index`-th extent of a chunk. */
static inline uint64_t rm_extent_whole(size_t chunk_bytes, unsigned index)
{
    size_t left = chunk_bytes - (size_t)index * RM_EXTENT_BYTES;

    return left >= RM_EXTENT_BYTES ? ~UINT64_C(0) : (UINT64_C(1) << left / RM_SLAB_BYTES) - 1;
}

/* Makes the extent part of its table: before any slab of it is known. Extents never used are never touched. */
static inline void rm_extent_join(struct rm_extent *extent, struct rm_table *table)
{
    rm_store_relaxed(&extent->table, rm_pointer_bits(table));
}

/* `count` (1, 2 or 4) extents side by side that belong to no chunk yet, from any table; NULL: there are none. */
RM_INTERNAL struct rm_extent *rm_table_claim(struct rm_table *first, unsigned count);

/* Gives them back. */
RM_INTERNAL void rm_table_unclaim(struct rm_extent *extent, unsigned count);

/* Puts slabs into a set, after a full fence: they have become what it says. */
RM_INTERNAL void rm_set_add(struct rm_extent *extent, unsigned set, uint64_t slabs);

/*
 * An extent that may have slabs in a set, or NULL: of the first table that has any the lowest, or the one that is
 * `place` further, round and round. If it is thorough, it trusts no table, and finds the lowest.
 */
RM_INTERNAL struct rm_extent *rm_set_find(struct rm_table *first, unsigned set, bool thorough,
                                          unsigned place);

/*
 * One that may have some of these slabs in a set: of the first RM_FIND_EXTENTS that tables show, counted as above.
 * NULL: none of them has. It changes nothing.
 */
RM_INTERNAL struct rm_extent *rm_set_find_among(struct rm_table *first, unsigned set, uint64_t slabs,
                                                unsigned place);

#endif
