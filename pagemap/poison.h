// SPDX-License-Identifier: BSD-2-Clause
/* Memory that is broken (kernel: mm/memory-failure.c 6.1). */
#ifndef PAGEMAP_POISON_H
#define PAGEMAP_POISON_H

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MF_COUNT_INCREASED = 1 << 0, /* the caller has a reference on the page, which is put first, in any case */
    MF_ACTION_REQUIRED = 1 << 1  /* for the driver */
};

/*
 * The page of `pfn` is broken. Clients that asked to be told of it or of its addresses are (mmu_notifier.h); it is
 * marked, so that it cannot be got, pinned, allocated or inserted any more, and taken out of all views; then the
 * driver's memory_failure() is called with pfn, 1 and `flags`. A holder of the page keeps it. May wait. 0, also if
 * the driver has no such op, or -EOPNOTSUPP came from it, and the page is in a file; else, in this order:
 *
 *   -ENXIO   no live dev_pagemap has pfn; or it is metadata of the altmap; or a PRIVATE or COHERENT page
 *   -EBUSY   it is in no file, and the driver has no op or declined: there is no holder to tell. It is not marked.
 *   or what the op returned: the page stays marked.
 */
int memory_failure(uint64_t pfn, int flags);

/*
 * The page is good again: takes the mark away. It stays absent from views until map_mapping_range(). May wait. -ENXIO:
 * it has no mark.
 */
int unpoison_memory(uint64_t pfn);

#ifdef __cplusplus
}
#endif

#endif
