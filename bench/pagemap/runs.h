// SPDX-License-Identifier: BSD-2-Clause
/* What grows with the runs of a file, and with its views. */
#ifndef BENCH_PAGEMAP_RUNS_H
#define BENCH_PAGEMAP_RUNS_H

/*
 * Prints three tables: pinning 512 pages by the length of their runs, truncating by the number of runs, and memory by
 * the number of views. Needs physical addresses 0 to 256 MiB to be free, with memory. 0, or 1 if something that
 * should work does not.
 */
int bench_runs(unsigned repetitions);

#endif
