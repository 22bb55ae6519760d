// SPDX-License-Identifier: BSD-2-Clause
/* Reads what libpcmap.so records of call stacks (stack_file.h), also while the process still runs. */
#ifndef EXAMPLES_PCMAP_RECORD_H
#define EXAMPLES_PCMAP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct record;

struct record_losses {
    uint64_t dropped; /* samples that found no room in the file */
    uint64_t
        unfinished; /* places that were taken and not written, as by a process that was killed meanwhile */
};

/* Frames from the outermost on, separated by ';', as unwind.h has them; and the samples that it stands for. */
typedef void record_stack_fn(const char *stack, uint64_t samples, void *context);

/*
 * NULL: errno, or 0 if that is no record. The file is read and never mapped: a process that becomes another one cuts
 * it off.
 */
struct record *record_open(const char *path);
void record_close(struct record *record);

/*
 * Takes what has come since the last time; it begins anew when the process has. False: it has begun anew, and what
 * was taken before is of another program.
 */
bool record_take(struct record *record, record_stack_fn *take, void *context);

/* So far. */
struct record_losses record_lost(const struct record *record);

#ifdef __cplusplus
}
#endif

#endif
