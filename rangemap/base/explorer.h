// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the schedule explorer (test/explorer) is told by the library, and of that what the simulator of many cores
 * (bench/cores) has to be told, since it sees what the compiler instruments but not ck's inline assembly: delay, fence
 * and section. Empty in every other build.
 *
 *   point       a shared access comes next: threads may be switched here; a NULL word is no memory
 *   touch       a shared access that commutes with everything: only the memory is checked
 *   delay       a store comes next that other threads may see later, as from a store buffer
 *   update      a point; then a read-modify-write, a full fence, comes next
 *   fence       a full fence of the thread
 *   membarrier  a full fence of all threads; false: refused
 *   publish     the access that comes next is the compare-and-swap of rm_publish()
 *   published   it succeeded, and `node`, with all that is below, is in the tree
 *   retired     an entry of a bag (struct rm_retired) was committed
 *   poison      memory of the pool is free from here on; unpoison: it is in use
 *   books       memory in which the pool keeps its books, from here on or no more
 *   keeps       true: the explorer keeps a freed node from being used again
 *   section     a section of the thread has begun, or is about to end
 *   tick        takes the place of the clock, so that a run depends on its schedule alone
 */
#ifndef RANGEMAP_BASE_EXPLORER_H
#define RANGEMAP_BASE_EXPLORER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rm_node;

#if defined(RANGEMAP_EXPLORER)
enum { RM_EXPLORED = 1 };

void rm_explorer_point(const void *word);
void rm_explorer_touch(const void *word);
void rm_explorer_delay(const void *address, size_t bytes);
void rm_explorer_update(const void *word);
void rm_explorer_fence(void);
bool rm_explorer_membarrier(void);
void rm_explorer_publish(const void *slot, uint64_t expected);
void rm_explorer_published(const struct rm_node *node);
void rm_explorer_retired(uint64_t word, uint64_t values);
void rm_explorer_poison(const void *address, size_t bytes);
void rm_explorer_unpoison(const void *address, size_t bytes);
void rm_explorer_books(const void *address, size_t bytes, bool open);
bool rm_explorer_keeps(const void *node);
void rm_explorer_section(bool begins);
uint64_t rm_explorer_tick(void);
#else
enum { RM_EXPLORED = 0 };

static inline void rm_explorer_point(const void *word)
{
    (void)word;
}

static inline void rm_explorer_touch(const void *word)
{
    (void)word;
}

static inline void rm_explorer_update(const void *word)
{
    (void)word;
}

static inline void rm_explorer_publish(const void *slot, uint64_t expected)
{
    (void)slot;
    (void)expected;
}

static inline void rm_explorer_published(const struct rm_node *node)
{
    (void)node;
}

static inline void rm_explorer_retired(uint64_t word, uint64_t values)
{
    (void)word;
    (void)values;
}

static inline bool rm_explorer_keeps(const void *node)
{
    (void)node;
    return false;
}

#if defined(RANGEMAP_CORES)
void rm_explorer_delay(const void *address, size_t bytes);
void rm_explorer_fence(void);
void rm_explorer_section(bool begins);
#else
static inline void rm_explorer_delay(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

static inline void rm_explorer_fence(void)
{
}

static inline void rm_explorer_section(bool begins)
{
    (void)begins;
}
#endif
#endif

#endif
