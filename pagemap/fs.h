// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files of device pages, and views of them in this process (kernel: include/linux/fs.h, mm/filemap.c,
 * mm/truncate.c, mm/memory.c, fs/dax.c 6.1). Positions and lengths named `offset`, `start`, `end` or `bytes` are in
 * bytes; an index is a position / PAGE_SIZE.
 *
 * Context: find_get_page(), page_mapping(), page_index() and mapping_nr_pages() are lock-free. All others take the
 * file's lock and may wait; not inside a read section. No driver's op is called with the lock held.
 */
#ifndef PAGEMAP_FS_H
#define PAGEMAP_FS_H

#include <pthread.h>
#include <stddef.h>

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rangemap;
struct pm_view;

/* Which pages are in a file. Set it up with address_space_init(). Members with an underscore are private. */
struct address_space {
    const char *name; /* for reports; not copied */
    void *host;       /* the caller's */
    struct rangemap *_pages;
    struct pm_view *_views;
    uint64_t _generation, _users, _nrpages, _granule_pages;
    bool _is_fs_dax;
    pthread_mutex_t _lock;
};

/* Makes an empty file. -EINVAL, -ENOMEM. */
int address_space_init(struct address_space *mapping, const char *name, void *host);

/*
 * Ends it; its memory may be used again when this returns. -EINVAL: it was ended, or is zero; -EBUSY: it has pages
 * (also such as a truncation is waiting for) or views; -EDEADLK and -EPERM as pagemap_synchronize(): it must stay
 * allocated.
 */
int address_space_destroy(struct address_space *mapping);

/*
 * Puts the pages [pfn, pfn + nr_pages) at [index, index + nr_pages), associates them with their place, and makes
 * them present in the views there are (not PRIVATE ones). Holds a reference on their dev_pagemap for each until they
 * are truncated. PRIVATE and COHERENT pages must be allocated, and the reference of the caller becomes the
 * file's: one for each page, or for each compound page of which this call inserts some. All or nothing:
 *
 *   -EINVAL     nr_pages is 0, an end is beyond 2^52 pages, or what has huge pages is not cut along them
 *   -ENXIO      they do not all lie in one range of one live dev_pagemap, or not all are valid pages
 *   -EHWPOISON  one of them is poisoned
 *   -EAGAIN     one is PRIVATE or COHERENT, and idle
 *   -EBUSY      one of them is in a file already (this one or another)
 *   -EEXIST     there is a page at one of the indexes
 *   -ENOMEM     memory or mappings ran out
 */
int filemap_add_pages(struct address_space *mapping, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* The page at `index` with a reference more; NULL: a hole, or pagemap_get_page() refuses it. */
struct page *find_get_page(struct address_space *mapping, uint64_t index);

/* How many pages it has, with those that a truncation waits for. */
uint64_t mapping_nr_pages(const struct address_space *mapping);

/*
 * The file in which the page is, and where; NULL, and UINT64_MAX, if it is in none. Call page_mapping() in a read
 * section, which keeps the file allocated.
 */
struct address_space *page_mapping(const struct page *page);
uint64_t page_index(const struct page *page);

/* ---- views ---- */

/*
 * Maps [offset, offset + bytes) of the file, both multiples of PAGE_SIZE (of the huge page, if pages with such are in
 * the file), with `prot`: PROT_READ, perhaps with PROT_WRITE. What is in the file is present. Accesses to what is
 * not raise SIGBUS, or EFAULT in a system call. Returns the address, or ERR_PTR: -EINVAL, -ENOMEM.
 *
 * A view that is revoked by userfaultfd allocates and locks the pages that it shows: of a large sparse device choose the
 * overlay. One that RLIMIT_MEMLOCK does not allow falls back to it by itself.
 *
 * The view is not inherited by fork(): there its addresses are unmapped. Do not mremap(), munmap() or remap it: the
 * library would not notice.
 */
void *vm_mmap(struct address_space *mapping, size_t bytes, int prot, uint64_t offset);

/* Ends a view, whole. Pins stay. -EINVAL: no view has this start and length. */
int vm_munmap(void *start, size_t bytes);

/*
 * Takes every page that has a byte in [start, start + bytes) out of all views of the file; bytes 0: to the end. When
 * it returns, no access succeeds any more until map_mapping_range(), data in place; and page counts show
 * every pin granted through a view. even_cows is not used: there are no private views. Does not wait for pins.
 */
void unmap_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes, int even_cows);
void unmap_mapping_pages(struct address_space *mapping, uint64_t index, uint64_t nr_pages, bool even_cows);

/*
 * Makes the file's pages there present in all views again (in the kernel, faults do). -ENOMEM: some may be. Pages
 * that are poisoned or PRIVATE stay absent.
 */
int map_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes);

/* ---- taking pages out ---- */

/*
 * Takes the whole pages inside [start, end], end inclusive, out of views and file; waits, without limit, until each
 * is idle (a PRIVATE or COHERENT page: puts the file's reference and goes on); then gives back what the file held
 * on the dev_pagemap. Pages that another truncation has in hand are waited for by that one. The bytes stay as they are.
 * 0, or -EINVAL: end < start.
 */
int truncate_inode_pages_range(struct address_space *mapping, uint64_t start, uint64_t end);

/* The same from `start` on. */
int truncate_inode_pages(struct address_space *mapping, uint64_t start);

/*
 * Revokes [start, end] from all views, and returns a page of it that somebody holds, without a reference, or NULL:
 * nobody does, and nobody can get one through a view. (By find_get_page() one still can.)
 */
struct page *dax_layout_busy_page_range(struct address_space *mapping, uint64_t start, uint64_t end);

/* Revokes [start, end], and waits until all its pages are idle; they stay in the file, absent from views. */
void dax_break_layout(struct address_space *mapping, uint64_t start, uint64_t end);

/* ---- how views are revoked ---- */

enum pagemap_revocation {
    PAGEMAP_REVOKE_AUTO,   /* userfaultfd where all is there that it takes, else the overlay */
    PAGEMAP_REVOKE_UFFD,   /* userfaultfd: no mapping is split, however small the part */
    PAGEMAP_REVOKE_OVERLAY /* an empty file mapped over the part: works everywhere */
};

/*
 * For views made from now on. -EINVAL: none of the three; -EOPNOTSUPP: userfaultfd cannot do it here, and
 * pagemap_revocation_report() says why.
 */
int pagemap_set_revocation(enum pagemap_revocation how);

/* One line: the mechanism of new views, and what the system, or the last view that fell back, lacked for the better. */
const char *pagemap_revocation_report(void);

/* The mechanism of the view that has `address`; AUTO if none has. A view may fall back to the overlay at any time. */
enum pagemap_revocation pagemap_view_revocation(const void *address);

#ifdef __cplusplus
}
#endif

#endif
