// SPDX-License-Identifier: BSD-2-Clause
/* Compares the map with /proc/self/maps, page by page, and writes down what came of it. */
#ifndef EXAMPLES_VMWATCH_CHECK_H
#define EXAMPLES_VMWATCH_CHECK_H

struct slot;

/*
 * Writes the result to the slot: figures, and lines of a word and its details: "calls", "differs" for what is not
 * explained, "explained" for what is, "hint". Nothing may change the map meanwhile. Calls nothing of libc that could
 * lock or allocate.
 */
void check_run(struct slot *slot);

#endif
