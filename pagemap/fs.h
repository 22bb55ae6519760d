// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files of device pages, and views of them in this process (kernel: include/linux/fs.h, mm/filemap.c, mm/truncate.c,
 * mm/memory.c, fs/dax.c 6.1; dax_break_layout() is 6.15's, and docs/pagemap.md, section 13, says which are not in the
 * kernel). Positions and lengths named `offset`, `start`, `end` or `bytes` are in bytes; an index is a position /
 * PAGE_SIZE.
 *
 * Context: find_get_page(), find_get_held_page(), page_mapping(), page_index() and mapping_nr_pages() are lock-free.
 * All others take the file's lock and may wait; not inside a read section. No driver's op is called with the lock held.
 * Those that take pages out of views or files call, before they do, the callbacks of clients that asked to be told
 * (mmu_notifier.h), and wait for them.
 */
#ifndef PAGEMAP_FS_H
#define PAGEMAP_FS_H

#include <pthread.h>
#include <stddef.h>

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

struct address_space_operations;
struct rangemap;

/* Which pages are in a file. Set it up with address_space_init(). Members with an underscore are private. */
struct address_space {
    const char *name; /* for reports; not copied */
    void *host;       /* the caller's, as the next ones are */
    const struct address_space_operations *a_ops;
    void *private_data;
    unsigned gfp_mask, flags, wb_err;
    struct rangemap *_pages;
    struct pm_interval *_views;
    uint64_t _generation, _users, _nrpages, _granule_pages, _shows;
    bool _is_fs_dax;
    pthread_mutex_t _lock;
};

/* Makes an empty file. -EINVAL, -ENOMEM. */
int address_space_init(struct address_space *mapping, const char *name, void *host);

/*
 * Ends it; its memory may be used again when this returns. -EINVAL: it was ended, or is zero; -EBUSY: it has pages
 * (also such as a truncation is waiting for) or views; -EDEADLK as pagemap_synchronize(): it must stay
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

/*
 * Puts `page` where `old` is, at `index`, in one step: a thread that looks a page up there, by find_get_page(),
 * get_user_pages() (the _only forms may say 0 for a moment) or a touch of a view, finds the one or the other, never
 * neither. Views show the new page where they showed the old one; of an old page that is PRIVATE, all views that have
 * the index do; if the new one is, none. The bytes are the caller's to copy before: what is written through a view
 * after that, and before this returns, is lost - migrate what is not written, or revoke it first, and bring it back
 * by map_mapping_range(). When it returns, page counts of `old` show every pin that was granted through views and
 * file, and none will be; it does not wait for them. References are as with filemap_add_pages() and
 * filemap_remove_pages(): a PRIVATE or COHERENT page must be allocated and its reference becomes the file's, the old
 * one's is put. Clients concerned are told before (mmu_notifier.h). Takes memory in proportion to the views that have
 * the index. All or nothing:
 *
 *   -EINVAL     they are the same, one of them is compound, or the file or one of them has huge pages
 *   -ENXIO      `page` is no valid page of a live dev_pagemap
 *   -EHWPOISON  it is poisoned
 *   -EAGAIN     it is PRIVATE or COHERENT, and idle
 *   -ESTALE     `old` is not at `index` (any more)
 *   -EBUSY      `page` is in a file
 *   -ENOMEM     memory or mappings ran out (each page that is replaced by itself costs a view up to two mappings more).
 *               Where the system then refuses even to map the old one again, that is absent from that view until
 *               map_mapping_range()
 */
int filemap_replace_page(struct address_space *mapping, uint64_t index, struct page *old, struct page *page);

/* The page at `index` with a reference more; NULL: a hole, or pagemap_get_page() refuses it. */
struct page *find_get_page(struct address_space *mapping, uint64_t index);

/*
 * The same by pagemap_get_held_page(): so it also finds pages of a dying device that are held, as PRIVATE and COHERENT
 * ones are by their file.
 */
struct page *find_get_held_page(struct address_space *mapping, uint64_t index);

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
 * A view that is revoked by userfaultfd allocates and locks the pages that it shows: of a large sparse device choose
 * the overlay. One that RLIMIT_MEMLOCK does not allow falls back to it by itself.
 *
 * Pages that the kernel takes through a view (vmsplice, fixed buffers of io_uring, RDMA, VFIO) outlive revocation:
 * hold a pin for as long (docs/pagemap.md, section 5).
 *
 * The view is not inherited by fork(): there its addresses are unmapped. Do not mremap(), munmap() or remap it: the
 * library would not notice.
 */
void *vm_mmap(struct address_space *mapping, size_t bytes, int prot, uint64_t offset);

/* The same at a multiple of `alignment` bytes, a power of two: -EINVAL. */
void *vm_mmap_aligned(struct address_space *mapping, size_t bytes, int prot, uint64_t offset,
                      size_t alignment);

/*
 * Ends a view, whole. Pins stay. -EINVAL: no view has this start and length; -ENOMEM: mappings or memory ran out, and
 * it is as it was. After 0 nothing can be reached through it, whatever becomes of its addresses.
 */
int vm_munmap(void *start, size_t bytes);

/*
 * Takes every page that has a byte in [start, start + bytes) out of all views of the file; bytes 0: to the end. When
 * it returns, no access succeeds any more until map_mapping_range(), data in place; and page counts show every pin
 * granted through a view. even_cows is not used: there are no private views. Does not wait for pins, and needs no
 * memory: without it, what lies between two parts that are revoked one after the other may be revoked as well, and
 * where the system refuses to split a mapping, the whole view is.
 */
void unmap_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes, int even_cows);
void unmap_mapping_pages(struct address_space *mapping, uint64_t index, uint64_t nr_pages, bool even_cows);

/*
 * Makes the file's pages there present in all views again (in the kernel, faults do). -ENOMEM: some may be; and where
 * the system refused, such as were present are absent now, of which clients are told (mmu_notifier.h). Pages that are
 * poisoned or PRIVATE stay absent. get_user_pages() beside it may wait for it; the _only forms may say 0 meanwhile.
 */
int map_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes);

/* ---- taking pages out ---- */

/*
 * Takes the whole pages inside [start, end], end inclusive, out of views and file; waits, without limit, until each
 * is idle (a PRIVATE or COHERENT page: puts the file's reference and goes on); then gives back what the file held on
 * the dev_pagemap. Pages that another truncation has in hand are waited for by that one. The bytes stay as they are.
 * 0, or -EINVAL: end < start; -ENOMEM: memory ran out. Then all of it is out of views, and what is still in the file
 * can be truncated again.
 */
int truncate_inode_pages_range(struct address_space *mapping, uint64_t start, uint64_t end);

/* The same from `start` on. */
int truncate_inode_pages(struct address_space *mapping, uint64_t start);

/*
 * Takes the whole pages inside [start, end] out of views and file as truncate_inode_pages_range() does, but waits for
 * none: a holder keeps its page, and with it the dev_pagemap. For what the kernel has in page tables alone, such as
 * pages of vmf_insert_mixed().
 */
int filemap_remove_pages(struct address_space *mapping, uint64_t start, uint64_t end);

/*
 * Revokes [start, end] from all views, and returns a page of it that is held, without a reference, or NULL: none
 * is, and none can be got through a view. (By find_get_page() one still can.)
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
