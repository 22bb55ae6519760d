// SPDX-License-Identifier: BSD-2-Clause
#ifndef PAGEMAP_PAGE_BUSY_H
#define PAGEMAP_PAGE_BUSY_H

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/*
 * The lowest pfn in [pfn, last_pfn] whose page, or compound page, is in use; UINT64_MAX: none. pre: the mapping
 * stays. A locked page is looked at as any other (bug 31); pages that were never grabbed are not (bug 32).
 */
PM_INTERNAL uint64_t pm_next_busy(const struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn);

#endif
