// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts the calling thread at any instruction, thousands of times a second, and has it sleep there for a
 * while. Races whose window is a few nanoseconds wide get a chance to show.
 */
#ifndef TEST_CHECK_JITTER_H
#define TEST_CHECK_JITTER_H

/* For the calling thread, from one to the other. Uses SIGUSR1. */
void jitter_begin(void);
void jitter_end(void);

#endif
