// SPDX-License-Identifier: BSD-2-Clause
/* Compares the map with /proc/self/maps, page by page, and writes down what came of it. */
#ifndef EXAMPLES_VMWATCH_CHECK_H
#define EXAMPLES_VMWATCH_CHECK_H

/*
 * Writes a report to the open file `fd`: lines of a word and its details, "differs" for what is not explained,
 * "explained" for what is, and at last "result". Nothing may change the map meanwhile. Calls nothing of libc that
 * could lock or allocate.
 */
void check_report(int fd);

#endif
