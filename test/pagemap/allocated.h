// SPDX-License-Identifier: BSD-2-Clause
/*
 * How much memory of the library's, which all comes from calloc(), has not been given back: calloc() and free() of the
 * whole program are those of the one file that has this. Not for sanitizers, which have their own.
 */
#ifndef PAGEMAP_TEST_ALLOCATED_H
#define PAGEMAP_TEST_ALLOCATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "test/pagemap/sanitized.h"

enum { ALLOCATED_MAX = 4096 };

static struct {
    void *block[ALLOCATED_MAX];
    unsigned nr;
    size_t bytes; /* of the last one */
    bool counts;  /* of this thread, and only while it is set */
} allocated;

#if !SANITIZED && defined(__GLIBC__)
#define ALLOCATED_WORKS 1

extern void *__libc_calloc(size_t number, size_t bytes); /* glibc's own names */
extern void __libc_free(void *block);

void *calloc(size_t number, size_t bytes)
{
    void *block = __libc_calloc(number, bytes);

    if (allocated.counts && block != NULL && allocated.nr < ALLOCATED_MAX) {
        allocated.bytes = number * bytes;
        allocated.block[allocated.nr++] = block;
    }
    return block;
}

void free(void *block)
{
    for (unsigned i = 0; block != NULL && i < allocated.nr; i++) {
        if (allocated.block[i] == block) {
            allocated.block[i] = allocated.block[--allocated.nr];
            break;
        }
    }
    __libc_free(block);
}
#else
#define ALLOCATED_WORKS 0
#endif

/* Begins at nothing. While it counts, no other thread allocates. */
static inline void allocated_count(void)
{
    allocated.nr = 0;
    allocated.counts = true;
}

/* How many blocks are left since then. */
static inline unsigned allocated_stop(void)
{
    allocated.counts = false;
    return allocated.nr;
}

#endif
