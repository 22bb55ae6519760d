// SPDX-License-Identifier: BSD-2-Clause
/*
 * Weak memory: a machine whose runs are those that C11 allows, but for loads that read what is stored later.
 * docs/weak.md has the rules, why they are right, and what they leave out.
 *
 * Memory keeps, for each word, its stores in modification order. A load reads any of them that its thread has not gone
 * beyond; a store takes any place behind those. Which one is chosen from outside. Messages carry views, as
 * acquire and release say. Plain accesses must be ordered by happens-before, or there is a fault.
 *
 * Orders are the compiler's: __ATOMIC_RELAXED and so on. __ATOMIC_CONSUME orders only what is read of nodes.
 */
#ifndef RANGEMAP_TEST_EXPLORER_VIEWS_H
#define RANGEMAP_TEST_EXPLORER_VIEWS_H

#include <stddef.h>

#include "test/explorer/view.h"

/* What the machine asks of who runs it. */
struct views_world {
    unsigned (*choose)(unsigned options); /* below `options`; 0 is the newest */
    bool (*is_followed)(
        const void *address); /* reached through an address that was loaded: consume orders it */
};

/* A run begins: all that was written before it is seen by all. */
void views_reset(const struct views_world *world);

uint64_t views_load(unsigned thread, const void *address, unsigned bytes, int order);
void views_store(unsigned thread, void *address, unsigned bytes, uint64_t value, int order);

/* A read-modify-write: returns what it read. */
enum views_update { VIEWS_SWAP, VIEWS_ADD, VIEWS_AND, VIEWS_OR };
uint64_t views_update(unsigned thread, void *address, unsigned bytes, enum views_update kind,
                      uint64_t operand, int order);

/* What it makes of that. */
uint64_t views_updated(enum views_update kind, uint64_t before, uint64_t operand);

/* Never fails spuriously. False: *expected is what was read. */
bool views_exchange(unsigned thread, void *address, unsigned bytes, uint64_t *expected, uint64_t desired,
                    int order, int failed_order);

void views_fence(unsigned thread, int order);

/*
 * membarrier(2), in two parts: the caller passes a full fence, and later one again; in between every other thread is
 * interrupted, and passes one, too. What that thread did before is then seen by the caller, and what the caller did
 * before it began, by that thread.
 */
struct view views_barrier_begin(unsigned caller);
void views_barrier_interrupt(unsigned caller, const struct view *begin, unsigned thread);

/* Plain accesses. */
void views_read(unsigned thread, const void *address, size_t bytes);
void views_write(unsigned thread, const void *address, size_t bytes);

/*
 * A message outside of memory: what `from` did so far happens before what `to` does from now on, as by a lock of the
 * user's.
 */
struct view views_send(unsigned thread);
void views_receive(unsigned thread, const struct view *sent);

/*
 * How many accesses the thread has made; and whether the first `number` of `other` happened before what `thread` does
 * now.
 */
uint32_t views_number(unsigned thread);
bool views_happened(unsigned thread, unsigned other, uint32_t number);

/* What went wrong first, or NULL. */
const char *views_fault(void);

#endif
