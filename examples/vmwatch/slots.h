// SPDX-License-Identifier: BSD-2-Clause
/*
 * What vmwatch and the processes that it follows tell each other: one file that all of them map, a slot for each
 * process.
 *
 * A process takes its slot at its start, and from then on a report is a matter of stores to memory: no descriptor, no
 * right, no path and no system call is needed in the end, which a program may have given up by then. A child of a
 * fork takes one in the mapping that it inherits. A process that never reports has left its slot.
 *
 * Who writes: the process, from SLOT_TAKEN to SLOT_DONE; vmwatch otherwise. `state` is stored last (release).
 */
#ifndef EXAMPLES_VMWATCH_SLOTS_H
#define EXAMPLES_VMWATCH_SLOTS_H

#include <stdint.h>

enum { SLOTS = 1024, SLOT_BYTES = 4096, SLOTS_VERSION = 1 };

enum slot_state {
    SLOT_FREE,
    SLOT_TAKEN,
    SLOT_RUNNING,
    SLOT_EXEC, /* compared, and about to become another program */
    SLOT_DONE  /* compared, and not followed any longer */
};

struct slot_result {
    uint64_t differ, explained, lost; /* stretches; updates lost for want of memory */
    uint64_t ranges, kernel_ranges, kib;
};

struct slot {
    uint32_t state; /* enum slot_state */
    uint32_t pid;   /* as the /proc that the process sees has it */
    uint32_t turn;  /* slots are taken in this order */
    uint32_t used;  /* of `text` */
    uint32_t is_cut;
    uint32_t is_compared; /* `result` holds */
    uint32_t comparisons; /* while it ran */
    uint64_t differed;    /* stretches in these */
    struct slot_result result;
    char reason[128]; /* why it is not compared or no longer followed; empty: it is */
    char program[256];
    char text[SLOT_BYTES - 472]; /* lines of a word and its details */
};

_Static_assert(sizeof(struct slot) == SLOT_BYTES, "a page each");

struct slots {
    uint32_t version;
    uint32_t
        request; /* vmwatch adds one: every process compares itself when it next makes a call that is followed */
    uint32_t turns;   /* slots taken so far */
    uint32_t no_room; /* processes that found none free */
    uint32_t
        unborn; /* fork() has been called, and the child has no slot yet; a fork that failed is never taken off */
    char padding[SLOT_BYTES - 20];
    struct slot slot[SLOTS];
};

#endif
