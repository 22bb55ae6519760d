// SPDX-License-Identifier: BSD-2-Clause
/* Samples where no object is: counted by page, explained by /proc/self/maps. */
#ifndef EXAMPLES_PCMAP_UNKNOWN_H
#define EXAMPLES_PCMAP_UNKNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "examples/preload/kernel_maps.h"

/* Any thread and signal handler. Wait-free. */
void unknown_count(uint64_t pc, uint64_t samples);

/* How many places have samples: no more mappings will be told of. */
size_t unknown_places(void);

/* Tells `add` for each mapping with samples what it is; `maps` NULL: that cannot be looked up. Async-signal-safe. */
void unknown_explain(struct kernel_maps *maps, void (*add)(const char *memory, uint64_t samples));

/* Begins anew: the child of a fork. */
void unknown_forget(void);

#endif
