// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking inside: all devices, and what was counted. Not in the kernel, which has /proc/iomem, /proc/vmstat and
 * tracepoints for it. docs/pagemap.md, section 7, says how exact it is.
 */
#ifndef PAGEMAP_STATISTICS_H
#define PAGEMAP_STATISTICS_H

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- devices ---- */

/* A range of a mapped dev_pagemap, as it was at one instant. */
struct pagemap_entry {
    struct dev_pagemap *pgmap; /* may be gone: for a thread in a read section since before the call */
    phys_addr_t start, end;    /* inclusive */
    uint64_t references;       /* of the whole dev_pagemap: pgmap_nr_references() */
    void *owner;
    enum memory_type type;
    unsigned flags;         /* PGMAP_.. */
    unsigned range;         /* its number in ranges[] */
    unsigned nr_range;      /* how many the dev_pagemap has */
    unsigned vmemmap_shift; /* pages of a compound page, as a power of two */
    bool is_dying;          /* it was killed, and is not gone yet */
};

/* Where to go on. Needs no end: nothing is held between two calls. */
struct pagemap_cursor {
    phys_addr_t _next, _end;
    bool _is_over;
};

/* Sets *cursor to all ranges that have a byte in [start, end]; all there are: 0, PHYSMEM_END. Any context. */
void pagemap_cursor_init(struct pagemap_cursor *cursor, phys_addr_t start, phys_addr_t end);

/*
 * Writes the next range, in order of address, to *entry, of which the caller's program knows entry_bytes,
 * sizeof(struct pagemap_entry): members that the library does not know become 0. Ranges that stay mapped are returned
 * exactly once, those that come or go between the calls once or not at all. 0; -ENOENT: there is none, or none any
 * more; -EINVAL: entry_bytes is 0 or no multiple of 8; -ENOMEM as pagemap_read_lock(). Lock-free, O(log devices),
 * also in a read section; not in signal handlers.
 */
int pagemap_cursor_next(struct pagemap_cursor *cursor, struct pagemap_entry *entry, size_t entry_bytes);

/* ---- counters ---- */

/*
 * Since the process began, unless it says "now". Members are added at the end in later versions. Pages are counted as
 * often as they are pinned.
 */
struct pagemap_statistics {
    /* memremap_pages(): devices that are mapped; successes; refusals, for whatever reason. */
    uint64_t devices_now, devices, devices_refused;
    /* Pages that are pinned; pages that were (pin_user_pages() and its forms). */
    uint64_t pins_now, pins;
    /* Exports that were not ended (export.h); all. */
    uint64_t exports_now, exports;
    /*
     * Waits that had to sleep, of teardowns, truncations, dax_break_layout() and wait_on_page_idle(): under way; all.
     */
    uint64_t waits_now, waits;
    uint64_t longest_wait_ns; /* of those that have ended */
    /*
     * What made get_user_pages() and its forms slow: pages of the file were revoked meanwhile, and it began anew; or
     * it took the file's lock after three times; or migrate_to_ram() was called.
     */
    uint64_t gup_retries, gup_locked, gup_migrations;
    /*
     * Why these forms returned fewer pages than they were asked for: no view has the address; absent there; written
     * to through a view for reading; its device was killed; poisoned; FOLL_LONGTERM on what may not be held long; a
     * PRIVATE page that did not come back; a lock or an op was needed, in an _only form; memory for a thread's first
     * read section; wrong arguments.
     */
    uint64_t refused_no_view, refused_absent, refused_read_only, refused_killed, refused_poisoned;
    uint64_t refused_longterm, refused_migration, refused_would_wait, refused_no_memory, refused_invalid;
    /*
     * Parts of views that were revoked: by userfaultfd; by the overlay; with the whole of the view, where the system
     * refused to split a mapping; by closing it, so that a touch is SIGSEGV. Of these, without memory to note it:
     * docs/pagemap.md, "denies".
     */
    uint64_t revoked_by_uffd, revoked_by_overlay, revoked_whole_view, revoked_by_closing, revoked_by_denying;
    uint64_t views_fallen_back; /* from userfaultfd to the overlay: pagemap_revocation_report() */
    uint64_t memory_failures;   /* pages that were marked */
    uint64_t sigbus_noted;      /* sigbus.h: signals of broken memory */
    uint64_t sigbus_not_noted;  /* too many at once */
    uint64_t refused_p2pdma;    /* as above: a peer's page without FOLL_PCI_P2PDMA */
};

/*
 * Sums the counters into *statistics, of which the caller's program knows `bytes`, sizeof(struct pagemap_statistics):
 * fewer are cut off, and what the library does not count is 0. Exact when nothing happens meanwhile; else each was
 * right at some instant of the call, and none of "now" is too low by what began and ended meanwhile. Wait-free; any
 * context, also signal handlers. 0; -EINVAL: NULL, or bytes is 0 or no multiple of 8.
 */
int pagemap_stats(struct pagemap_statistics *statistics, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
