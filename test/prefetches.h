// SPDX-License-Identifier: BSD-2-Clause
/*
 * What sources of the library load ahead that a test compiles as for bench/cores (RANGEMAP_CORES), where every prefetch
 * is a call; the other hooks do nothing. One program has it once.
 */
#ifndef TEST_PREFETCHES_H
#define TEST_PREFETCHES_H

#include "rangemap/base/atomic.h"

enum { SEEN = 512 };

static const void *seen[SEEN];
static unsigned seen_count;

void rm_cores_prefetch(const void *address)
{
    seen[seen_count++ % SEEN] = address;
}

void rm_explorer_delay(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_fence(void)
{
}

void rm_explorer_section(bool begins)
{
    (void)begins;
}

#endif
