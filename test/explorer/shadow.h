// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the explorer knows about each cache line of the pool, and what must never happen to it:
 *
 *   NEVER, FREE -> LIVE         allocated
 *   LIVE -> PUBLISHED           reachable from the map; once
 *   PUBLISHED -> RETIRED        committed by the winner; once
 *   LIVE, RETIRED -> FREE       given back; a retired node only if every section that was open when it was
 *                               retired has ended since
 *
 *   BOOKS                       the domain and what the pool writes down about its memory
 *
 * Every other transition is a fault, and so is any access to a word in a line that is FREE or NEVER.
 */
#ifndef RANGEMAP_TEST_EXPLORER_SHADOW_H
#define RANGEMAP_TEST_EXPLORER_SHADOW_H

#include <stdbool.h>

#include "rangemap/tree/tree.h"

/* The chunk allocator of the domain that is explored: memory of fixed place and order. */
extern const struct rangemap_chunk_allocator shadow_chunks;

/* Forgets everything, for a new domain. */
void shadow_reset(void);

/* Remembers lines and their content as they are; brings them back, and forgets the fault. */
void shadow_save(void);
void shadow_restore(void);

/* What went wrong first, or NULL. */
const char *shadow_fault(void);
void shadow_set_fault(const char *fault);

/* Whether freed nodes are left unused until the next shadow_restore(). */
void shadow_keep_freed(bool keeps);

/* The map is being destroyed: nodes may be freed while in the tree. */
void shadow_close(void);

/* Nodes and maps that are neither retired nor free. */
int shadow_live_nodes(void);

/* A fault if a node that can be reached from the map is not in the tree. */
void shadow_check_reachable(const struct rangemap *map);

/* Which thread runs: a section is its own. */
void shadow_set_thread(unsigned thread);

void shadow_touch(const void *address);

/* Whether it is memory of the domain at all; and of a node that is or was in the tree. */
bool shadow_holds(const void *address);
bool shadow_is_in_tree(const void *address);

/* The map whose gap classes are looked at with every publication, if it tracks gaps. */
void shadow_watch(const struct rangemap *map);

#endif
