// SPDX-License-Identifier: BSD-2-Clause
/* What is measured beside get and put: pinning by address, mapping cycles, revocation. */
#ifndef BENCH_PAGEMAP_PATHS_H
#define BENCH_PAGEMAP_PATHS_H

/*
 * Prints three tables and those of runs.h, each cell the median of `repetitions`, or of the repetitions that fit into
 * a second. Needs physical addresses 0 to 256 MiB to be free. Returns 0, or 1 if something that should work does not.
 */
int bench_paths(unsigned repetitions);

#endif
