// SPDX-License-Identifier: BSD-2-Clause
/* What the parts of a file share. */
#ifndef PAGEMAP_MAPPING_MAPPING_H
#define PAGEMAP_MAPPING_MAPPING_H

#include "pagemap/backend/backend.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/tables.h"

/* Files end here: 2^52 pages, so that every position in bytes fits in 64 bits (bug 29). */
#define PM_INDEX_END (UINT64_C(1) << 52)

/*
 * Takes the file's lock, with memory set aside for: two updates of its pages, two of associations and of
 * views, one of `present` for each view and one more. Waits for memory until there is enough.
 */
PM_INTERNAL void pm_mapping_lock(struct address_space *mapping);

/* The same; -ENOMEM instead of waiting, and it is not locked. */
PM_INTERNAL int pm_mapping_lock_or_fail(struct address_space *mapping);
PM_INTERNAL void pm_mapping_unlock(struct address_space *mapping);

/* Keeps `mapping`, found in a read section, beyond it; false: it is being destroyed. */
PM_INTERNAL bool pm_mapping_tryget(struct address_space *mapping);
PM_INTERNAL void pm_mapping_put(struct address_space *mapping);

/*
 * What was taken away before is seen by every grabber that is not counted yet: the second half of the pair in
 * docs/pagemap.md, section 9. Then page counts may be looked at.
 */
PM_INTERNAL void pm_mapping_bump(struct address_space *mapping);

/* Where the page's bytes are; NULL: PRIVATE. pre: its mapping stays. */
PM_INTERNAL const struct pagemap_memory *pm_page_memory(uint64_t pfn, uint64_t *offset);

/* The first index of a byte range, and the last; [start, start + bytes), bytes 0: to the end of any file. */
static inline uint64_t pm_first_index(uint64_t start)
{
    return start >> PAGE_SHIFT;
}

static inline uint64_t pm_last_index(uint64_t start, uint64_t bytes)
{
    return bytes == 0 || bytes - 1 > UINT64_MAX - start ? PM_INDEX_END - 1
                                                        : (start + bytes - 1) >> PAGE_SHIFT;
}

/* Widens [*first, *last] to whole huge pages, if the file has such. */
PM_INTERNAL void pm_round_to_granules(const struct address_space *mapping, uint64_t *first, uint64_t *last);

#endif
