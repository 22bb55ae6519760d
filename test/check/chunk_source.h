// SPDX-License-Identifier: BSD-2-Clause
/*
 * A chunk allocator for domains that counts, checks what the library asks for, and fails on demand.
 */
#ifndef TEST_CHECK_CHUNK_SOURCE_H
#define TEST_CHECK_CHUNK_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"

enum { CHUNK_SOURCE_MAX = 4096 };

struct chunk_source {
    struct rangemap_chunk_allocator allocator; /* for rangemap_domain_options.chunks */
    atomic_uint calls;                         /* of alloc, also those that failed */
    atomic_uint fail_at;                       /* the call, from 1 on, that fails; 0: none */
    atomic_bool fail_all;
    atomic_uint refused;  /* calls that failed */
    atomic_uint live;     /* chunks not yet freed */
    atomic_ullong bytes;  /* of these */
    atomic_uint breaches; /* of the contract: odd size or alignment, a free that fits no alloc */
    atomic_flag lock;
    struct {
        void *chunk;
        size_t bytes;
    } slot[CHUNK_SOURCE_MAX];
};

void chunk_source_init(struct chunk_source *source);

/* A domain on `source` without limits. Ends the program if it can't be created. */
struct rangemap_domain *chunk_source_domain(struct chunk_source *source);

#endif
