// SPDX-License-Identifier: BSD-2-Clause
/* The map of the address space, and the kernel's own account of it. */
#ifndef EXAMPLES_VMWATCH_SPACE_H
#define EXAMPLES_VMWATCH_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/vmwatch/region.h"
#include "rangemap/rangemap.h"

/* NULL until space_begin(). */
extern struct rangemap *space_map;

/* Updates that were lost for want of memory. */
extern uint64_t space_lost;

/* The region of all ranges below the program break. */
extern struct region *space_heap;

/* Makes the map and its domain, without a range. 0, or a negative errno. */
int space_begin(void);

/* Notes that an update was lost. */
void space_lose(void);

/* A number for a call that maps something. */
uint64_t space_next_serial(void);

/* Gives [start, last] to `region`, of which the caller hands over one ownership. NULL: an update is lost. */
void space_put(uint64_t start, uint64_t last, struct region *region);

/* The same, joined in one step to what is alike on either side, as the kernel does. */
void space_join(uint64_t start, uint64_t last, struct region *region);

/* Takes [start, last] out. */
void space_take(uint64_t start, uint64_t last);

/* The range that holds `address`, with an ownership of its region for the caller. False: there is none. */
bool space_own(uint64_t address, struct rangemap_entry *entry);

/* Makes [start, last] of the map what the kernel says. */
void space_ask_kernel(uint64_t start, uint64_t last);

/* Enters the whole of the kernel's range around `address`: for callers that do not know its size. */
void space_ask_kernel_at(uint64_t address);

#endif
