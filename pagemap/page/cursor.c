// SPDX-License-Identifier: BSD-2-Clause
/* All devices, a range at a time. */
#include <errno.h>
#include <string.h>

#include "pagemap/page/mapped.h"
#include "pagemap/pagemap.h"
#include "pagemap/statistics.h"

void pagemap_cursor_init(struct pagemap_cursor *cursor, phys_addr_t start, phys_addr_t end)
{
    *cursor = (struct pagemap_cursor){start, end, end < start};
}

/* The next entry that is published; those that are being made are passed over. pre: in a read section. */
static int find_next(struct pagemap_cursor *cursor, struct rangemap *index, struct rangemap_entry *found)
{
    while (!cursor->_is_over) {
        int error = rangemap_overlap(index, PHYS_PFN(cursor->_next), PHYS_PFN(cursor->_end), found);

        if (error != 0) {
            return error;
        }
        cursor->_is_over = found->last >= PHYS_PFN(cursor->_end);
        cursor->_next = cursor->_is_over ? cursor->_end : PFN_PHYS(found->last + 1);
        if (!pm_is_reserved_value(found->value)) {
            return 0;
        }
    }
    return -ENOENT;
}

/* What does not change while it is mapped, and a count. The section keeps all of it allocated. */
static struct pagemap_entry describe(struct dev_pagemap *pgmap, uint64_t pfn)
{
    int id = pm_range_of(pgmap, pfn);

    return (struct pagemap_entry){
        .pgmap = pgmap,
        .start = pgmap->ranges[id].start,
        .end = pgmap->ranges[id].end,
        .references = pgmap_nr_references(pgmap),
        .owner = pgmap->owner,
        .type = pgmap->type,
        .flags = pgmap->flags,
        .range = (unsigned)id,
        .nr_range = pgmap->nr_range,
        .vmemmap_shift = (unsigned)pgmap->vmemmap_shift,
        .is_dying = percpu_ref_is_dying(&pgmap->ref),
    };
}

int pagemap_cursor_next(struct pagemap_cursor *cursor, struct pagemap_entry *entry, size_t entry_bytes)
{
    struct rangemap *index = pm_index_get();
    struct pagemap_entry made;
    struct rangemap_entry found;
    int error;

    if (entry_bytes == 0 || entry_bytes % sizeof(uint64_t) != 0) {
        return -EINVAL;
    }
    if (index == NULL) {
        return -ENOENT;
    }
    error = pagemap_read_lock();
    if (error != 0) {
        return error;
    }
    error = find_next(cursor, index, &found);
    if (error == 0) {
        made = describe(found.value, found.start);
    }
    pagemap_read_unlock();
    if (error == 0) {
        memset(entry, 0, entry_bytes);
        memcpy(entry, &made, entry_bytes < sizeof made ? entry_bytes : sizeof made);
    }
    return error;
}
