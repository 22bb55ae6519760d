// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/cancel.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/marks.h"
#include "pagemap/pagemap.h"
#include "pagemap/statistics/statistics.h"

/* The range that has all of it; NULL: none. The caller has a reference on pgmap. */
static const struct pm_mapped_range *find_range(const struct dev_pagemap *pgmap, phys_addr_t start,
                                                uint64_t bytes)
{
    int id = pm_range_of(pgmap, PHYS_PFN(start));

    if (id < 0 || PHYS_PFN(bytes) - 1 > pm_last_pfn(&pgmap->ranges[id]) - PHYS_PFN(start) ||
        !pgmap_pfn_valid(pgmap, PHYS_PFN(start)) || pgmap->type == MEMORY_DEVICE_PRIVATE) {
        return NULL;
    }
    return &pgmap->_mapped->range[id];
}

/* Opened anew, the file has another mode; a duplicate would have the same. */
static int open_file(const struct pagemap_memory *memory, unsigned flags)
{
    int cancel = pm_cancel_off(), fd;
    char path[sizeof "/proc/self/fd/2147483647"];

    if ((flags & PAGEMAP_EXPORT_READ_ONLY) != 0) {
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", memory->fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } else {
        fd = fcntl(memory->fd, F_DUPFD_CLOEXEC, 0);
    }
    pm_cancel_restore(cancel);
    return fd < 0 ? -errno : fd;
}

/* With a reference on pgmap, which becomes the export's. */
static int make(struct dev_pagemap *pgmap, phys_addr_t start, uint64_t bytes, unsigned flags,
                struct pagemap_export *exported)
{
    const struct pm_mapped_range *range = find_range(pgmap, start, bytes);
    int fd;

    if (range == NULL) {
        return -ENXIO;
    }
    if ((start | bytes) % range->memory->granule != 0) {
        return -EINVAL;
    }
    if (pm_poison_next(PHYS_PFN(start), PHYS_PFN(start + bytes) - 1) != UINT64_MAX) {
        return -EHWPOISON;
    }
    fd = open_file(range->memory, flags);
    if (fd < 0) {
        return fd;
    }
    *exported = (struct pagemap_export){
        .fd = fd,
        .is_sealed = range->memory->is_sealed,
        .offset = range->memory->offset + range->span.offset + (start - PFN_PHYS(range->span.start_pfn)),
        .bytes = bytes,
        .granule = range->memory->granule,
        ._pgmap = pgmap,
    };
    return 0;
}

int pagemap_export(phys_addr_t start, uint64_t bytes, unsigned flags, struct pagemap_export *exported)
{
    struct dev_pagemap *pgmap;
    int error;

    if (exported == NULL || bytes == 0 || (start | bytes) % PAGE_SIZE != 0 ||
        (flags & ~PAGEMAP_EXPORT_READ_ONLY) != 0) {
        return -EINVAL;
    }
    pgmap = get_dev_pagemap(PHYS_PFN(start), NULL);
    error = pgmap == NULL ? -ENXIO : make(pgmap, start, bytes, flags, exported);
    if (error == 0) {
        pm_count(&pm_counters()->exports, 1);
    } else {
        put_dev_pagemap(pgmap);
    }
    return error;
}

void pagemap_export_end(struct pagemap_export *exported)
{
    if (exported->_pgmap != NULL) {
        pm_count(&pm_counters()->exports_now, 1);
        put_dev_pagemap(exported->_pgmap);
        exported->_pgmap = NULL;
    }
}
