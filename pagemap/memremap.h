// SPDX-License-Identifier: BSD-2-Clause
/*
 * dev_pagemap: device memory by pfn (kernel: include/linux/memremap.h, mm/memremap.c 6.1).
 */
#ifndef PAGEMAP_MEMREMAP_H
#define PAGEMAP_MEMREMAP_H

#include "pagemap/device.h"
#include "pagemap/percpu_ref.h"
#include "pagemap/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dev_pagemap;
struct pm_mapped;

/*
 * A page of device memory. Zero bytes are an idle page. Valid memory while its dev_pagemap is mapped; touch it
 * with a reference on the page or the pagemap. Members with a leading underscore are private.
 */
struct page {
    uint64_t _flags;
    uint64_t _refcount;         /* references above idle, of a compound page in its first page */
    struct dev_pagemap *_pgmap; /* set when it is first grabbed */
    void *zone_device_data;     /* the driver's, while it holds the page */
    uint64_t _pincount;         /* pins of a compound page, in its first page */
    uint64_t _reserved[3];
};

/* struct page of pfn 0. Set by the first memremap_pages(). */
extern struct page *vmemmap;

/* Arithmetic: also for pfns that have no page. */
static inline struct page *pfn_to_page(uint64_t pfn)
{
    return vmemmap + pfn;
}

static inline uint64_t page_to_pfn(const struct page *page)
{
    return (uint64_t)(page - vmemmap);
}

/*
 * The first pages of a device that hold the struct pages of all of it. All in pages. The caller fills in the
 * first four; `alloc` and `align` are set to 0 by memremap_pages() and belong to the library.
 */
struct vmem_altmap {
    uint64_t base_pfn; /* the device's first */
    uint64_t end_pfn;  /* the last that the driver owns, inclusive; 0: the whole range */
    uint64_t reserve;  /* pages at the start that nobody touches: the driver's info block */
    uint64_t free;     /* pages after them that struct pages may use */
    uint64_t align;    /* of these, lost to natural alignment */
    uint64_t alloc;    /* of these, in use */
};

/* reserve + free: how many pages at the start are not valid pages; 0 for NULL. */
uint64_t vmem_altmap_offset(const struct vmem_altmap *altmap);

/* Counts nr_pfns back. WARNs and does nothing if that is more than `alloc`. The caller serialises. */
void vmem_altmap_free(struct vmem_altmap *altmap, uint64_t nr_pfns);

enum memory_type {
    MEMORY_DEVICE_PRIVATE = 1, /* never mapped to a CPU; pages are allocated by zone_device_page_init() */
    MEMORY_DEVICE_COHERENT,    /* mapped; pages are allocated likewise */
    MEMORY_DEVICE_FS_DAX,      /* a file system's */
    MEMORY_DEVICE_GENERIC,     /* a character device's */
    MEMORY_DEVICE_PCI_P2PDMA   /* a peer's window */
};

/* A fault on device-private memory. */
struct vm_fault {
    struct page *page;
    uint64_t address;
};

/* The driver's part. Each is called without any lock of the library. */
struct dev_pagemap_ops {
    /*
     * The last reference of the page went; it is idle, and may be allocated or grabbed again in here. Needed for PRIVATE
     * and COHERENT. It must not wait for the teardown of its dev_pagemap, which waits for it.
     */
    void (*page_free)(struct page *page);
    /* Brings the page back to ordinary memory. Needed for PRIVATE. 0 or a negative errno. */
    int (*migrate_to_ram)(struct vm_fault *vmf);
    /* Pages [pfn, pfn + nr_pages) are broken. 0: dealt with; -EOPNOTSUPP: do what is usual. */
    int (*memory_failure)(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags);
};

#define PGMAP_ALTMAP_VALID 1u

/* Compound pages have at most this many pages, as a power of two: 1 GiB. */
enum { MAX_FOLIO_ORDER = 18 };

/*
 * Device memory. Zero-initialise; fill in what is not private; keep it allocated and unchanged until
 * memunmap_pages() has returned. After that, or after a failure, it can be mapped again as it is.
 */
struct dev_pagemap {
    struct vmem_altmap altmap; /* with PGMAP_ALTMAP_VALID */
    enum memory_type type;
    unsigned flags;
    unsigned vmemmap_shift; /* compound pages of 1 << vmemmap_shift pages */
    const struct dev_pagemap_ops *ops;
    void *owner; /* whose PRIVATE or COHERENT memory this is */
    unsigned nr_range;
    const struct range *ranges; /* nr_range of them; the caller's, kept as long */
    /* Private. */
    struct percpu_ref _ref;
    uint64_t _done, _killed;
    struct pm_mapped *_mapped; /* NULL: not mapped */
};

static inline bool pgmap_has_memory_failure(const struct dev_pagemap *pgmap)
{
    return pgmap->ops != NULL && pgmap->ops->memory_failure != NULL;
}

static inline struct vmem_altmap *pgmap_altmap(struct dev_pagemap *pgmap)
{
    return (pgmap->flags & PGMAP_ALTMAP_VALID) != 0 ? &pgmap->altmap : NULL;
}

static inline uint64_t pgmap_vmemmap_nr(const struct dev_pagemap *pgmap)
{
    return UINT64_C(1) << pgmap->vmemmap_shift;
}

/*
 * Maps all ranges of `pgmap` and makes their pfns findable, all at the end. Returns the address of the first
 * range in this process (PRIVATE: reserved and inaccessible), or ERR_PTR, checked in this order:
 *
 *   -EINVAL   pgmap is NULL, or is mapped; nr_range 0; vmemmap_shift above MAX_FOLIO_ORDER; PRIVATE without
 *             migrate_to_ram, page_free or owner; COHERENT without page_free or owner; an unknown type
 *   -ENOMEM   for the reference
 *   then for each range in turn
 *   -EINVAL   an altmap with the second range
 *   -ENOMEM   it overlaps a live mapping, in whatever way, or one that is being made (WARNs, as the kernel)
 *   -ENXIO    System RAM lies in it, wholly or in part
 *   -EINVAL   end < start, or nothing but 0..UINT64_MAX
 *   -EINVAL   start or length is no multiple of SUBSECTION_SIZE, or of the compound page
 *   -ERANGE   it ends beyond PHYSMEM_END
 *   -EEXIST   it overlaps a mapping that is being torn down
 *   -EINVAL   altmap: base_pfn is not the first pfn, or reserve + free are more than the range has
 *   -ENXIO    no plugged memory stands behind it (PRIVATE: needs none)
 *   -ENOMEM   memory, mappings or the altmap's pages do not suffice
 *
 * `nid` is the NUMA node, or -1; it is not used. May wait.
 */
void *memremap_pages(struct dev_pagemap *pgmap, int nid);

/*
 * Ends it: no get succeeds any more, and when it returns every reference on it and on its pages is gone, the
 * pages are, and no reader has a pointer to `pgmap`. Waits for all of that, without limit; the order is in
 * docs/pagemap.md. Each failure WARNs, and means that `pgmap` must stay allocated:
 *
 *   -EINVAL   it is not mapped
 *   -EDEADLK  called inside a read section: nothing happened; or in a confirm function of percpu_ref.h: it is dead
 *   -EPERM    grace periods end no more (see pagemap_synchronize()): nothing is gone; it is dead, or could not be killed
 */
int memunmap_pages(struct dev_pagemap *pgmap);

/*
 * The first step of it alone: when it returns, no get succeeds. What is held stays. memunmap_pages() does the
 * rest, or resurrect_dev_pagemap() takes it back, for a removal that was called off, whatever is still held. The
 * caller serialises these three. -EALREADY: it was killed; -EINVAL (not mapped, not killed), -EDEADLK and -EPERM
 * as above. kill may wait.
 */
int kill_dev_pagemap(struct dev_pagemap *pgmap);
int resurrect_dev_pagemap(struct dev_pagemap *pgmap);

/* The same, owned by `dev`: unmapped when it is released. If that cannot be noted, it is unmapped, -ENOMEM. */
void *devm_memremap_pages(struct device *dev, struct dev_pagemap *pgmap);
void devm_memunmap_pages(struct device *dev, struct dev_pagemap *pgmap);

/*
 * The mapping that holds the address, live or dying, without a reference; NULL if none. Call it in a read
 * section, which keeps `*pgmap` allocated; WARNs outside. (The commit "mm: introduce find_dev_pagemap()".)
 */
struct dev_pagemap *find_dev_pagemap(phys_addr_t phys);

/*
 * A reference on the live mapping that holds `pfn`, or NULL. `pgmap`, if not NULL, is one that the caller has a
 * reference on: it is returned as it is if it holds pfn too (any of its ranges), else put. Metadata pfns of an
 * altmap count as held. Wait-free on a thread that used it before (one that did not may find no memory for it:
 * NULL); also in read sections.
 */
struct dev_pagemap *get_dev_pagemap(uint64_t pfn, struct dev_pagemap *pgmap);

/* Gives it back; NULL is allowed. Any thread. */
void put_dev_pagemap(struct dev_pagemap *pgmap);

/* Whether pfn is a page of `pgmap`: in one of its ranges and not of the altmap's. */
bool pgmap_pfn_valid(const struct dev_pagemap *pgmap, uint64_t pfn);

/* How many references there are beyond the mapping's own: busy pages and holders. For reports. */
uint64_t pgmap_nr_references(const struct dev_pagemap *pgmap);

/* What starts and lengths of ranges must be multiples of, in bytes. */
uint64_t memremap_compat_align(void);

/* ---- pages; a page of a compound page stands for all of it ---- */

/*
 * The page of `pfn` with a reference more, or NULL: no live mapping holds it, it is not a valid page or it is
 * poisoned, or it is PRIVATE or COHERENT and idle (those are allocated, below). Wait-free as get_dev_pagemap().
 */
struct page *pagemap_get_page(uint64_t pfn);

/* One more for who has one. WARNs and does nothing if the page is idle. */
void get_page(struct page *page);

/* One less, or n less; at idle, page_free() is called and waiters wake. WARNs and does nothing below idle. */
void put_page(struct page *page);
void put_page_many(struct page *page, uint64_t n);

/* The references, and at idle 1 (GENERIC) or 0 (the others). For who holds the page or its pagemap. */
uint64_t page_count(const struct page *page);

/*
 * Allocates an idle page for its driver: one reference, locked. -ENODEV: its mapping is not live, or it is no
 * valid page of it; -EHWPOISON: it is poisoned; -EBUSY: it is not idle. The driver sees to it that nobody else allocates the same page meanwhile.
 */
int zone_device_page_init(struct page *page);

bool trylock_page(struct page *page);
void lock_page(struct page *page); /* waits */
void unlock_page(struct page *page);

/* Waits until the page is idle; others may grab it again right after. */
void wait_on_page_idle(struct page *page);

/* Whether memory_failure() was told of it (poison.h). For who holds the page or its pagemap. */
bool PageHWPoison(const struct page *page);

/* The mapping of a page that the caller holds. */
struct dev_pagemap *page_pgmap(const struct page *page);

/* The first page of its compound page, or itself. For who holds it. */
struct page *compound_head(struct page *page);

/* Where its bytes are in this process; NULL for PRIVATE. For who holds it. */
void *page_address(const struct page *page);

bool is_device_private_page(const struct page *page);
bool is_device_coherent_page(const struct page *page);
bool is_pci_p2pdma_page(const struct page *page);

#ifdef __cplusplus
}
#endif

#endif
