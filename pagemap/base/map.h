// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address space. What the library maps is sparse and is not the process's own to copy or dump: pages come when they
 * are touched, also where mlockall(MCL_FUTURE) would have all of them at once; no huge page takes the place of small
 * ones; core dumps leave them out unless they are asked for; and no mapping borders on another, so that the system
 * joins none of them, and taking one away needs no split, which vm.max_map_count may refuse.
 */
#ifndef PAGEMAP_BASE_MAP_H
#define PAGEMAP_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pagemap/base/compiler.h"

/*
 * Inaccessible address space of `bytes`, a multiple of `alignment` (a power of two, of pages), with a gap of
 * `alignment` bytes or more above it. NULL: -ENOMEM.
 */
PM_INTERNAL void *pm_area_reserve(size_t bytes, size_t alignment);

/* Gives it back. False: it could not be, and stays reserved; but it cannot be touched. */
PM_INTERNAL bool pm_area_release(void *address, size_t bytes);

/*
 * It cannot be touched any more. False: the system refused, and all is as it was. A whole area is refused only without
 * memory.
 */
PM_INTERNAL bool pm_area_close(void *address, size_t bytes);

/* How large the pages of a mapping are: as small as can be, whatever the system would like; or as its device's. */
enum pm_pages { PM_PAGES_SMALL, PM_PAGES_OF_DEVICE };

/*
 * mmap() over `address`, a part of an area, of which no page comes before it is touched. 0 or a negative errno: then
 * the part is inaccessible.
 */
PM_INTERNAL int pm_area_map(void *address, size_t bytes, int prot, int flags, int fd, off_t offset,
                            enum pm_pages pages);

/*
 * Pages of it, or of the file that is mapped there, come from node `nid` if it has some; -1: from any. -EINVAL: no
 * such node.
 */
PM_INTERNAL int pm_prefer_node(void *address, size_t bytes, int nid);

/* What holds for all mappings of device memory and of struct pages. False: without memory. */
PM_INTERNAL bool pm_advise(void *address, size_t bytes, enum pm_pages pages);

#endif
