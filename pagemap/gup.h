// SPDX-License-Identifier: BSD-2-Clause
/*
 * From an address in a view to its pages, kept (kernel: mm/gup.c, include/linux/mm.h 6.1; get_user_pages() and
 * pin_user_pages() and their fast forms as of 6.5, without the argument `vmas`).
 *
 * Context: any thread, not inside a read section. Lock-free while no thread inserts, shows (map_mapping_range()),
 * replaces or revokes pages of the same file; else they may take the file's lock. The _only forms never do. unpin and
 * put: as put_page().
 */
#ifndef PAGEMAP_GUP_H
#define PAGEMAP_GUP_H

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FOLL_WRITE 0x01u          /* -EFAULT unless the view may be written */
#define FOLL_GET 0x04u            /* a reference on each page: set by get_user_pages() */
#define FOLL_FORCE 0x10u          /* nothing, as in the kernel for memory that is shared, as all views are */
#define FOLL_HWPOISON 0x100u      /* a poisoned page is -EHWPOISON, not -EFAULT */
#define FOLL_LONGTERM 0x10000u    /* for as long as the caller likes; only with FOLL_PIN */
#define FOLL_PIN 0x40000u         /* set by pin_user_pages() */
#define FOLL_PCI_P2PDMA 0x100000u /* also pages of MEMORY_DEVICE_PCI_P2PDMA (6.2); not with FOLL_LONGTERM */

/* What a pin adds to page_count() of a page that is not compound. */
#define GUP_PIN_COUNTING_BIAS 1024u

/*
 * The pages behind nr_pages pages of address space from the one with `start` on, in pages[0 ..], each with a
 * reference: put_page(). `pages` may be NULL: only counts what is present. Returns how many, which may be fewer than
 * asked for if something goes wrong on the way; if it is the first page:
 *
 *   -EINVAL      flags other than those above; FOLL_PIN in a get, FOLL_GET in a pin; FOLL_LONGTERM in a get, or with
 *                FOLL_PCI_P2PDMA; `pages` NULL in a pin
 *   -EFAULT      no view has the address; it is absent there (a hole, revoked, beyond the file's end); FOLL_WRITE
 *                to a view for reading; its dev_pagemap was killed; migrate_to_ram() failed; it is poisoned
 *   -EHWPOISON   it is poisoned, with FOLL_HWPOISON
 *   -EREMOTEIO   the page is a peer's, of MEMORY_DEVICE_PCI_P2PDMA, and FOLL_PCI_P2PDMA is not set
 *   -EOPNOTSUPP  FOLL_LONGTERM on a file that has or had FS_DAX pages
 *   -EBUSY       FOLL_LONGTERM, and a COHERENT page, which must be able to move, was not moved: its driver has no
 *                migrate_to_ram(), or that failed, as it must if the page has another holder. Also if it is not the
 *                first: then none is pinned
 *
 * A PRIVATE page is brought back first by its migrate_to_ram(), called without any lock and with the page held; so is
 * a COHERENT one by FOLL_LONGTERM, as by check_and_migrate_movable_pages() of 6.1 (there without the driver: the
 * kernel has memory to move it to). Pages with PGMAP_SYSTEM_RAM are ordinary memory.
 */
long get_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages);

/* The same for callers that access the bytes of the pages, as for DMA: unpin_user_page(). */
long pin_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages);

/* The kernel has these without its lock; here the above are as fast. */
int get_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages);
int pin_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages);

/*
 * These take no lock and call no op: 0 where that would be needed, and in place of an error. So they may say 0 of any
 * page of a file while another thread inserts, shows or replaces pages of it.
 */
int get_user_pages_fast_only(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages);
int pin_user_pages_fast_only(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages);

/*
 * Ends a pin, or `npages` of them, which is cheaper than each by itself: pages of one dev_pagemap that follow each
 * other put their references on it together. WARNs, and leaves it, for each that is not pinned so; of small pages, a
 * pin cannot be told from 1024 references. WARNs and does nothing if `npages` is an errno, of a call that failed.
 */
void unpin_user_page(struct page *page);
void unpin_user_pages(struct page **pages, unsigned long npages);

/*
 * The same, and of the `npages` pages from `page` on, for callers that wrote to them: device memory is never written
 * back anywhere, so no page is marked dirty, or locked for that, whatever `make_dirty`; it is for callers' sake alone.
 */
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long npages, bool make_dirty);
void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages, bool make_dirty);

/*
 * Whether it is perhaps pinned; for compound pages, whether it is. Of others it is also true with
 * 1024 plain references.
 */
bool page_maybe_dma_pinned(const struct page *page);

/*
 * Does at `address` what a fault would: brings a PRIVATE page back. 0: it is present now; -EFAULT, -EHWPOISON (not
 * only with FOLL_HWPOISON) as above. FOLL_WRITE is looked at, nothing else in `fault_flags`.
 */
int fixup_user_fault(uintptr_t address, unsigned fault_flags);

#ifdef __cplusplus
}
#endif

#endif
