// SPDX-License-Identifier: BSD-2-Clause
/*
 * All memory of this library: one stretch of address space that is reserved before anything is followed, and given
 * out from its start, for good. So the map's own growth makes no mapping that would have to enter the map.
 */
#ifndef EXAMPLES_VMWATCH_ARENA_H
#define EXAMPLES_VMWATCH_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rangemap/rangemap.h"

/* Reserves 1 GiB, or where memory is limited a sixteenth of that. False: not even 4 MiB. */
bool arena_reserve(void);

/* NULL when it is used up. Lock-free. */
void *arena_alloc(size_t bytes, size_t alignment);

/* Offsets of what arena_alloc() gave fit 32 bits. */
uint32_t arena_offset(const void *object);
void *arena_at(uint32_t offset);

/* For the map's domain. */
extern const struct rangemap_chunk_allocator arena_chunks;

#endif
