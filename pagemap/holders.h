// SPDX-License-Identifier: BSD-2-Clause
/*
 * The holders of device memory: what a teardown waits for, by name. Not in the kernel; its users ask for it (ndctl's
 * issues 210 and 256).
 */
#ifndef PAGEMAP_HOLDERS_H
#define PAGEMAP_HOLDERS_H

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pagemap_holder_kind {
    PAGEMAP_HELD_BY_FILE, /* pages are in a file, which holds one reference on the dev_pagemap for each */
    PAGEMAP_HELD_PAGE,    /* pages are in use: get_user_pages(), pagemap_get_page(), .. */
    PAGEMAP_HELD_PAGEMAP  /* references on the dev_pagemap itself: get_dev_pagemap() */
};

/* One line of a report. Neighbouring pages that are held alike are one line. */
struct pagemap_holder {
    enum pagemap_holder_kind kind;
    uint64_t pfn, nr_pages; /* which pages; of PAGEMAP: those of the whole dev_pagemap's first range */
    uint64_t references; /* on each page as page_count() counts (a pin is GUP_PIN_COUNTING_BIAS); FILE: 1 */
    const char *name;    /* FILE: the file's. Else the recorded holder, or NULL: none. Valid in the call */
};

/* Called in a read section: it must not wait. */
typedef void pagemap_holder_fn(const struct pagemap_holder *holder, void *context);

/*
 * Calls report(holder, context) for each holder of a byte in [start, end], live or dying. What changes meanwhile may
 * or may not be seen. Only struct pages that were once grabbed are looked at. Returns how many calls there
 * were; -EINVAL: end < start or no `report`; -ENOMEM as pagemap_read_lock(). Not in a read section: it takes
 * references and may be the last to put one. Time: grows with the pages that were ever grabbed, and 8 bytes are read
 * for every 16 MiB of device.
 */
long pagemap_report_holders(phys_addr_t start, phys_addr_t end, pagemap_holder_fn *report, void *context);

/*
 * Records from now on the holders of references on pages and dev_pagemaps, or stops and forgets. Off at first: then it
 * costs a load per get and put. While it is on, each takes a lock and allocates, so that none is wait-free, or may be
 * made in a signal handler. What was got before, or without memory, is reported without a name.
 */
void pagemap_record_holders(bool on);

/*
 * The name under which this thread's references are recorded; NULL (at first): the thread's own. Kept until it is
 * changed, and copied with each reference, its first 31 bytes. Returns the one before. A put takes one off the
 * putting thread's name; if that has none there, off another's: so a thread that puts for another may mix up holders
 * of the same page, never numbers.
 */
const char *pagemap_set_holder(const char *name);

/*
 * After how many milliseconds memunmap_pages(), a truncation, dax_break_layout() or wait_on_page_idle() tells the warn
 * function what it waits for (at most 16 lines; again after four times as long); 0: never. At first 1000.
 * Returns the one before.
 */
unsigned pagemap_set_holders_delay(unsigned milliseconds);

#ifdef __cplusplus
}
#endif

#endif
