// SPDX-License-Identifier: BSD-2-Clause
/*
 * Store buffers, as x86 has them: what a thread stores it sees at once, others later; in order, one store at a time,
 * and at the latest when the thread passes a fence or a read-modify-write. That is all by which x86 differs from
 * an interleaving of whole accesses (Owens, Sarkar, Sewell: x86-TSO, 2009).
 *
 * A store that stays in its buffer is made nevertheless, by whatever instruction; what it replaced is kept
 * aside. While a thread runs, memory is as that thread sees it. When another one goes on, the two are exchanged.
 */
#ifndef RANGEMAP_TEST_EXPLORER_BUFFERS_H
#define RANGEMAP_TEST_EXPLORER_BUFFERS_H

#include <stddef.h>

/* Forgets every store that is still in a buffer. From here on nobody runs. */
void buffers_reset(void);

/* `thread` goes on: memory is as it sees it. */
void buffers_run(unsigned thread);

/* The thread that runs is about to store at most 8 `bytes`, which others are to see later. */
void buffers_delay(void *address, size_t bytes);

/* The thread that runs passes a full fence. */
void buffers_fence(void);

/* The oldest store of `thread`, if there is one, reaches all others. */
void buffers_drain_one(unsigned thread);

/* All stores of all threads do. */
void buffers_drain_all(void);

/* The set of threads with a store to `word` that others do not see; NULL: with any. */
unsigned buffers_holding(const void *word);

#endif
