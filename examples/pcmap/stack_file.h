// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file that call stacks are recorded in: a header, and records one after the other. It is mapped by the process
 * that is sampled, so that a record is a matter of stores to memory, and read when that is over, or killed.
 *
 * Whoever records takes a place by moving `used` on, atomically, and writes `bytes` first and `kind` last (release): a
 * record that was never finished has kind 0, and can be passed over. Places are in the order of events.
 */
#ifndef EXAMPLES_PCMAP_STACK_FILE_H
#define EXAMPLES_PCMAP_STACK_FILE_H

#include <stdint.h>

#define STACK_FILE_MAGIC UINT64_C(0x31736b6361747370) /* "pstacks1" */

struct stack_file {
    uint64_t magic;
    uint64_t bytes;   /* of the file */
    uint64_t used;    /* with this header */
    uint64_t dropped; /* samples that found no room */
    uint64_t interval_ns;
    uint32_t pid;
    uint32_t padding;
    char program[4040];
    uint64_t begun_ns; /* by the monotonic clock: another recording has another */
};

enum stack_record_kind {
    STACK_UNFINISHED,
    STACK_SAMPLE, /* struct stack_sample and the stack from the stack pointer up */
    STACK_OBJECT, /* struct stack_object and the path: mapped from here on */
    STACK_GONE    /* the same: no longer */
};

/* Multiples of 8 bytes. */
struct stack_record {
    uint32_t kind;
    uint32_t bytes; /* with this */
};

enum { STACK_REGISTERS = 17, STACK_POINTER = 7, STACK_PC = 16 }; /* as DWARF numbers them */

struct stack_sample {
    struct stack_record record;
    uint32_t tid;
    uint32_t samples; /* that it stands for */
    uint64_t stack_bytes;
    uint64_t registers[STACK_REGISTERS];
};

struct stack_object {
    struct stack_record record;
    uint64_t base;        /* on top of the file's addresses */
    uint64_t start, last; /* of all its segments */
};

#endif
