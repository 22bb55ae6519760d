// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's two maps for callers that do not include kernel headers. Trees are made here; the functions in
 * the second half are the kernel's own, called directly. Threads that call them are registered with liburcu.
 */
#ifndef RANGEMAP_THIRD_PARTY_LINUX_TREES_H
#define RANGEMAP_THIRD_PARTY_LINUX_TREES_H

#include <stdbool.h>
#include <stddef.h>

#include "third_party/linux/shim/slab.h"

#ifdef __cplusplus
extern "C" {
#endif

struct maple_tree;
struct xarray;

/* The version of the sources, such as "6.1.192". */
const char *linux_version(void);

/* An empty maple tree in RCU mode. NULL: no memory. No thread may use a tree that is destroyed. */
struct maple_tree *maple_create(void);
void maple_destroy(struct maple_tree *tree);

/* The same, but one that keeps the longest gap below each slot, as a process's address space does. */
struct maple_tree *maple_create_for_gaps(void);

/* The lowest or highest free stretch of `size` indices in [low, high]: its first in *start. False: there is none. */
bool maple_gap_find(struct maple_tree *tree, unsigned long low, unsigned long high, unsigned long size,
                    bool highest, unsigned long *start);

/* The same under the tree's lock, with `entry` stored over it. False also without memory. */
bool maple_gap_allocate(struct maple_tree *tree, unsigned long low, unsigned long high, unsigned long size,
                        bool highest, void *entry, unsigned long *start);

/* A range with its entry; entries are values as maple_value() makes them. */
struct maple_range {
    unsigned long start, last;
    void *entry;
};

/*
 * Fills an empty tree that nobody else uses, as fork() does: room for all is set aside first and RCU is off
 * meanwhile. `next` writes the next range in ascending order and returns false at the end. False: no memory.
 */
bool maple_load(struct maple_tree *tree, size_t count, bool (*next)(struct maple_range *range, void *context),
                void *context);

/* Calls visit() for every range in ascending order, in one read section. */
void maple_scan(struct maple_tree *tree, void (*visit)(const struct maple_range *range, void *context),
                void *context);

struct xarray *xarray_create(void);
void xarray_destroy(struct xarray *xa);

/* Calls visit() for every piece of a range in ascending order: its first index and its entry. */
void xarray_visit(struct xarray *xa, void (*visit)(unsigned long first, void *entry, void *context),
                  void *context);

/* The sum of the values of all pieces, visited in ascending order. */
unsigned long xarray_scan(struct xarray *xa);

/* A word below 2^63 as an entry, and back. */
static inline void *linux_entry(unsigned long value)
{
    return (void *)(value << 1 | 1);
}
static inline unsigned long linux_value(const void *entry)
{
    return (unsigned long)entry >> 1;
}

/* lib/maple_tree.c */
void *mtree_load(struct maple_tree *tree, unsigned long index);
int mtree_insert_range(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry,
                       gfp_t gfp);
int mtree_store_range(struct maple_tree *tree, unsigned long first, unsigned long last, void *entry,
                      gfp_t gfp);
void *mtree_erase(struct maple_tree *tree, unsigned long index);

/* lib/xarray.c */
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry, gfp_t gfp);

#ifdef __cplusplus
}
#endif

#endif
