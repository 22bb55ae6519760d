// SPDX-License-Identifier: BSD-2-Clause
/* A clock that is cheap to read and coarse: it moves every 1 to 10 ms. */
#ifndef RANGEMAP_BASE_CLOCK_H
#define RANGEMAP_BASE_CLOCK_H

#include <stdint.h>

#include "rangemap/base/compiler.h"
#include "rangemap/base/explorer.h"

/* Nanoseconds. No system call: read from a page that the kernel keeps. */
RM_INTERNAL uint64_t rm_coarse_ns(void);

#endif
