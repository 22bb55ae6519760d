// SPDX-License-Identifier: BSD-2-Clause
/* Room for a reader of /proc/self/maps: one that is kept, and others from the arena while it is out. */
#ifndef EXAMPLES_VMWATCH_READER_H
#define EXAMPLES_VMWATCH_READER_H

#include <stdbool.h>

#include "examples/preload/kernel_maps.h"

/* An open reader; NULL: memory is out. Lock-free. */
struct kernel_maps *reader_open(void);

/* False if anything could not be read. */
bool reader_close(struct kernel_maps *maps);

#endif
