// SPDX-License-Identifier: BSD-2-Clause
/* Pages by address, which are brought in first. Kernel: mm/gup.c (6.1). */
#include <errno.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

/* A page that is present was brought in just now by another thread, unless it is refused over and over. */
static long gup_here(unsigned long start, unsigned long nr_pages, unsigned flags, struct page **pages,
                     bool pin)
{
    enum { REFUSALS = 16 };
    unsigned long done = 0;
    unsigned refused = 0;

    while (done < nr_pages) {
        unsigned long address = start + (done << PAGE_SHIFT);
        struct page **to = pages == NULL ? NULL : pages + done;
        long got = pin ? (pin_user_pages)(address, nr_pages - done, flags, to)
                       : (get_user_pages)(address, nr_pages - done, flags, to);

        if (got > 0) {
            done += (unsigned long)got;
            refused = 0;
            continue;
        }
        if (got != -EFAULT || (pm_is_present(address)
                                   ? ++refused == REFUSALS
                                   : pagemap_compat_fault((void *)address, (flags & FOLL_WRITE) != 0) != 0)) {
            return done > 0 ? (long)done : got;
        }
    }
    return (long)done;
}

/* ---- pins for long; kernel: __gup_longterm_locked(), check_and_migrate_movable_pages(), mm/gup.c (6.1) ---- */

/* -EAGAIN: pages were moved and none is pinned any more, so that it begins anew. An error: none is pinned either. */
static int migrate_coherent(struct page **pages, long nr_pages)
{
    int error = 0;

    for (long i = 0; i < nr_pages && error != -EBUSY; i++) {
        if (is_device_coherent_page(pages[i])) {
            get_page(pages[i]);
            unpin_user_page(pages[i]);
            error = migrate_device_coherent_page(pages[i]) == 0 ? -EAGAIN : -EBUSY;
            put_page(pages[i]);
            pages[i] = NULL;
        }
    }
    for (long i = 0; i < nr_pages && error != 0; i++) {
        if (pages[i] != NULL) {
            unpin_user_page(pages[i]);
        }
    }
    return error;
}

/* Files of FS_DAX pages are pagemap's to refuse. */
static bool is_refused(const struct page *page)
{
    return page_pgmap(page)->type == MEMORY_DEVICE_FS_DAX;
}

static long pin_longterm(unsigned long start, unsigned long nr_pages, unsigned flags, struct page **pages)
{
    long pinned;
    int error;

    if ((flags & FOLL_PCI_P2PDMA) != 0) {
        return -EINVAL;
    }
    do {
        pinned = gup_here(start, nr_pages, flags & ~FOLL_LONGTERM, pages, true);
        if (pinned > 0 && is_refused(pages[0])) {
            unpin_user_pages(pages, (unsigned long)pinned);
            return -EOPNOTSUPP;
        }
        error = migrate_coherent(pages, pinned);
    } while (error == -EAGAIN);
    return error != 0 ? error : pinned;
}

long pagemap_compat_gup(unsigned long start, unsigned long nr_pages, unsigned flags, struct page **pages,
                        bool pin)
{
    return pin && pages != NULL && (flags & FOLL_LONGTERM) != 0
               ? pin_longterm(start, nr_pages, flags, pages)
               : gup_here(start, nr_pages, flags, pages, pin);
}
