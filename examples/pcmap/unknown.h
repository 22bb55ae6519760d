// SPDX-License-Identifier: BSD-2-Clause
/* Samples where no object is: counted by page, explained at the end by /proc/self/maps. */
#ifndef EXAMPLES_PCMAP_UNKNOWN_H
#define EXAMPLES_PCMAP_UNKNOWN_H

#include <stdint.h>

/* Any thread and signal handler. Wait-free. */
void unknown_count(uint64_t pc, uint64_t samples);

/* Tells `add` for each mapping with samples what it is. */
void unknown_explain(void (*add)(const char *memory, uint64_t samples));

/* Begins anew: the child of a fork. */
void unknown_forget(void);

#endif
