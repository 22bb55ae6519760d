// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing a profile: at the end of the process, when somebody asks, from time to time, and before a filter that would
 * forbid it. By the same code each time, which takes no lock that it would have to wait for, allocates by the kernel's
 * calls alone, and so may run in any signal handler and at _exit().
 */
#ifndef EXAMPLES_PCMAP_REPORT_H
#define EXAMPLES_PCMAP_REPORT_H

#include <stdbool.h>

/*
 * Opens the file at `path`, or keeps standard error as it is now if that is NULL: later the name may lead elsewhere, or
 * the number. `path` stays the caller's, for as long as the process lives. False: errno says why.
 */
bool report_open(const char *path);

/* In the child of a fork: it does not keep others waiting for the end of a pipe that it writes no more to. */
void report_after_fork(void);

/*
 * `why` is for the reader: "" for the last profile. False: a change of the list of objects is under way, or another
 * report.
 */
bool report_write(const char *why);

#endif
