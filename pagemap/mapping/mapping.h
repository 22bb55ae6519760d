// SPDX-License-Identifier: BSD-2-Clause
/* What the parts of a file share. */
#ifndef PAGEMAP_MAPPING_MAPPING_H
#define PAGEMAP_MAPPING_MAPPING_H

#include "pagemap/backend/backend.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/tables.h"

/* Files end here: 2^52 pages, so that every position in bytes fits in 64 bits (bug 29). */
#define PM_INDEX_END (UINT64_C(1) << 52)

PM_INTERNAL void pm_mapping_lock(struct address_space *mapping);
PM_INTERNAL void pm_mapping_unlock(struct address_space *mapping);

/*
 * Memory for so many updates of the file's pages, of associations and of `present` together: the next ones that this
 * thread makes of them do not fail. -ENOMEM. What needs no such memory: revoking (view/present.c).
 */
PM_INTERNAL int pm_mapping_reserve(const struct address_space *mapping, unsigned updates);

/* Keeps `mapping`, found in a read section, beyond it; false: it is being destroyed. */
PM_INTERNAL bool pm_mapping_tryget(struct address_space *mapping);
PM_INTERNAL void pm_mapping_put(struct address_space *mapping);

/*
 * What was taken away before is seen by every grabber that is not counted yet: the second half of the pair in
 * docs/pagemap.md, section 9. Then page counts may be looked at.
 */
PM_INTERNAL void pm_mapping_bump(struct address_space *mapping);

/*
 * Around steps that are to look like one: get_user_pages() does not go by what it finds meanwhile, but waits for the
 * file's lock, or, if it must not, gives up. With the lock held. The end is also a pm_mapping_bump().
 */
PM_INTERNAL void pm_mapping_change_begin(struct address_space *mapping);
PM_INTERNAL void pm_mapping_change_end(struct address_space *mapping);

/* Whether `generation` is one of a change that is under way. */
static inline bool pm_is_changing(uint64_t generation)
{
    return (generation & 1) != 0;
}

/* Where the page's bytes are; NULL: PRIVATE. pre: its mapping stays. */
PM_INTERNAL const struct pagemap_memory *pm_page_memory(uint64_t pfn, uint64_t *offset);

/* The first index of a byte range, and the last; [start, start + bytes), bytes 0: to the end of any file. */
static inline uint64_t pm_first_index(uint64_t start)
{
    return start >> PAGE_SHIFT;
}

static inline uint64_t pm_last_index(uint64_t start, uint64_t bytes)
{
    uint64_t last;

    if (bytes == 0 || __builtin_add_overflow(start, bytes - 1, &last)) {
        last = UINT64_MAX;
    }
    return last >> PAGE_SHIFT;
}

/* An empty file without views is as good as a new one: the next page may have any size. With the lock held. */
PM_INTERNAL void pm_forget_granule(struct address_space *mapping);

/* Widens [*first, *last] to whole huge pages, if the file has such. */
PM_INTERNAL void pm_round_to_granules(const struct address_space *mapping, uint64_t *first, uint64_t *last);

#endif
