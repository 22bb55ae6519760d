// SPDX-License-Identifier: BSD-2-Clause
#ifndef PAGEMAP_POISON_POISON_H
#define PAGEMAP_POISON_POISON_H

#include <stdint.h>

#include "pagemap/base/compiler.h"

/*
 * The lowest poisoned pfn of [pfn, last_pfn], or UINT64_MAX. pre: their mapping stays. Takes a lock that orders it
 * with memory_failure(): what the caller did before is seen there, or the mark is seen here.
 */
PM_INTERNAL uint64_t pm_poison_next(uint64_t pfn, uint64_t last_pfn);

/* The mapping of [pfn, last_pfn] goes, and marks with it. */
PM_INTERNAL void pm_poison_forget(uint64_t pfn, uint64_t last_pfn);

#endif
