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

struct address_space;
struct dev_pagemap;
struct folio;
struct pm_mapped;
struct vm_area_struct;

/*
 * A page of device memory. Zero bytes are an idle page. Valid memory while its dev_pagemap is mapped; touch it
 * with a reference on the page or the pagemap. Members with a leading underscore are private.
 */
struct page {
    uint64_t _flags;
    uint64_t _refcount; /* references above idle, of a compound page in its first page, with its pins */
    struct dev_pagemap
        *pgmap; /* set when it is first grabbed: read it by page_pgmap(), which knows idle pages too */
    void *zone_device_data; /* the driver's: never changed here */
    uint64_t _unused;
    /*
     * The driver's, as long as the mapping lasts. The library's own view of files is page_mapping() and page_index().
     */
    struct address_space *mapping;
    uint64_t index;
#if defined(__cplusplus)
    uint64_t _private;
#else
    uint64_t private;
#endif
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
    uint64_t reserve;  /* pages at the start that are left alone: the driver's info block */
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

/* 0, or what a fault came to; anything else is a failure to the library (6.1: bits named VM_FAULT_*). */
typedef unsigned vm_fault_t;

/*
 * A fault (6.1: include/linux/mm.h). To migrate_to_ram() the library gives `page` and `address`; the others are for
 * callers of a driver's fault functions, such as pagemap/compat.
 */
struct vm_fault {
    struct vm_area_struct *vma;
    unsigned gfp_mask;
    uint64_t pgoff;
    uint64_t address;
    uint64_t real_address;
    unsigned flags;
    struct page *page;
    struct page *cow_page;
};

/*
 * The driver's part. Each is called without any lock of the library, and with cancellation put off. Versions:
 * page_free() and migrate_to_ram() are 6.1's, memory_failure() 6.0's, folio_free() 6.19's, which has it in place of
 * page_free().
 */
struct dev_pagemap_ops {
    /*
     * The last reference of the page went; it is idle, and may be allocated or grabbed again in here. PRIVATE and
     * COHERENT need this or folio_free(). Of the other types it may also be called after a get that was refused
     * because the page was poisoned while it was made, or one by address or index that was taken back because the file
     * changed meanwhile: once more then, also for a page that has left the file. It must not wait for the teardown
     * of its dev_pagemap, which waits for it.
     */
    void (*page_free)(struct page *page);
    /* Brings the page back to ordinary memory. Needed for PRIVATE. 0, or anything else. */
    vm_fault_t (*migrate_to_ram)(struct vm_fault *vmf);
    /* Pages [pfn, pfn + nr_pages) are broken. 0: dealt with; -EOPNOTSUPP: do what is usual. */
    int (*memory_failure)(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags);
    /* As page_free(), and called instead of it where there is one. page_folio() of the first page. */
    void (*folio_free)(struct folio *folio);
};

#define PGMAP_ALTMAP_VALID 1u

/*
 * The pages, of type COHERENT, stand for ordinary memory: they may lie in System RAM, and is_device_coherent_page()
 * is false. The other end of a migration; not in the kernel.
 */
#define PGMAP_SYSTEM_RAM 0x80000000u

/* Compound pages have at most this many pages, as a power of two: 1 GiB. */
enum { MAX_FOLIO_ORDER = 18 };

/*
 * Device memory (6.1). Zero-initialise; fill in what is not private; keep it allocated and unchanged until
 * memunmap_pages() has returned. After that, or after a failure, it can be mapped again as it is. With more than one
 * range it must be allocated with room for them, sizeof(struct dev_pagemap) + (nr_range - 1) * sizeof(struct range):
 * a struct that embeds it has it last, or has one range.
 */
struct dev_pagemap {
    struct vmem_altmap altmap; /* with PGMAP_ALTMAP_VALID */
    /*
     * Made by memremap_pages(), killed by memunmap_pages(), which waits for it. A driver may get it, by tryget_live,
     * and put it, for as long as it hands the memory out; it may not kill, switch or exit it.
     */
    struct percpu_ref ref;
    enum memory_type type;
    unsigned flags;
    unsigned long vmemmap_shift; /* compound pages of 1 << vmemmap_shift pages */
    const struct dev_pagemap_ops *ops;
    void *owner; /* whose PRIVATE or COHERENT memory this is */
    /* Private. */
    uint64_t _done, _killed;
    struct pm_mapped *_mapped; /* NULL: not mapped */
    /* The driver's again. */
    unsigned nr_range;
    union {
        struct range range;                   /* the first, for a device of one */
        __extension__ struct range ranges[0]; /* nr_range of them */
    };
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
 * `nid` is the NUMA node that the device's memory and its struct pages are to come from, where the system has a choice
 * (mbind(2), MPOL_PREFERRED), or -1. -EINVAL: there is no such node. May wait.
 *
 * On failure nothing stays, unless the system refuses to unmap what was mapped before the failure (WARNs; the kernel
 * cannot be refused that): then no lookup finds it, but its pfns are taken; `pgmap` must stay allocated, and
 * memunmap_pages() is to be called.
 */
void *memremap_pages(struct dev_pagemap *pgmap, int nid);

/*
 * Ends it: no get succeeds any more, and when it returns every reference on it and on its pages is gone, the
 * pages are, and no reader has a pointer to `pgmap`. Waits for all of that, without limit; the order is in
 * docs/pagemap.md. Each failure WARNs, and means that `pgmap` must stay allocated:
 *
 *   -EINVAL   it is not mapped
 *   -EDEADLK  called inside a read section: nothing happened; or in a confirm function of percpu_ref.h: it is dead
 *   -EPERM    it could not be killed: membarrier(2), by which counting by restartable sequences ends, was forbidden
 *             after the library began to use it; nothing is gone
 *   -ENOMEM   mappings (vm.max_map_count) or memory ran out: it has no holder any more, but some can still be touched.
 *             To be called again
 */
int memunmap_pages(struct dev_pagemap *pgmap);

/*
 * The same, but waits for references at most so many milliseconds. -ETIMEDOUT: there are some left
 * (pagemap_report_holders() says whose); it is dead, nothing has gone, and memunmap_pages() or this may be called
 * again, or resurrect_dev_pagemap(). Not in the kernel; ndctl's issue 256 asks for it.
 */
int memunmap_pages_timeout(struct dev_pagemap *pgmap, unsigned milliseconds);

/*
 * The first step of it alone: when it returns, no get succeeds, and clients that asked to be told of these pages were
 * (mmu_notifier.h). What is held stays. memunmap_pages() does the rest, or resurrect_dev_pagemap() takes it back, for
 * a removal that was called off, whatever is still held. The caller serialises these three. -EALREADY: it was killed;
 * -EINVAL (not mapped, not killed), -EDEADLK and -EPERM as above. kill may wait.
 */
int kill_dev_pagemap(struct dev_pagemap *pgmap);
int resurrect_dev_pagemap(struct dev_pagemap *pgmap);

/*
 * kill_dev_pagemap(), after which `fd`, an eventfd(2) of the caller's, is written to once when the last reference is
 * gone, by the thread that put it: then memunmap_pages() does not wait for any. It stays open until memunmap_pages()
 * has returned. One whose counter is full was told, and is left alone; if others write to it, EFD_NONBLOCK keeps that
 * put from waiting for a reader. resurrect_dev_pagemap(): no write, or -EALREADY: it was the last.
 */
int kill_dev_pagemap_notify(struct dev_pagemap *pgmap, int fd);

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

/* get_dev_pagemap(pfn, NULL): what get_dev_pagemap() with one argument, its form since 6.18, calls. */
struct dev_pagemap *get_dev_pagemap_of(uint64_t pfn);

/* Gives it back; NULL is allowed. Any thread. */
void put_dev_pagemap(struct dev_pagemap *pgmap);

/* Whether pfn is a page of `pgmap`: in one of its ranges and not of the altmap's. */
bool pgmap_pfn_valid(const struct dev_pagemap *pgmap, uint64_t pfn);

/* How many references there are beyond the mapping's own: busy pages and holders. For reports. */
uint64_t pgmap_nr_references(const struct dev_pagemap *pgmap);

/* What starts and lengths of ranges must be multiples of, in bytes. */
uint64_t memremap_compat_align(void);

/* ---- pages; a page of a compound page stands for all of it, whichever of them was got or allocated ---- */

/*
 * The page of `pfn` with a reference more, or NULL: no live mapping holds it, it is not a valid page or it is
 * poisoned, or it is PRIVATE or COHERENT and idle (those are allocated, below). Wait-free as get_dev_pagemap().
 */
struct page *pagemap_get_page(uint64_t pfn);

/*
 * The same, and of a dying mapping a page that somebody holds, whom its teardown waits for anyhow: as the kernel's
 * folio_try_get(), which asks for no mapping.
 */
struct page *pagemap_get_held_page(uint64_t pfn);

/*
 * One more for a caller that has one, or, of a GENERIC page, for one that has a reference on the pagemap: idle it
 * counts 1, as if its driver held it (xen, device-dax). WARNs and does nothing if a page of another type is idle.
 */
void get_page(struct page *page);

/* One less, or n less; at idle, page_free() is called and waiters wake. WARNs and does nothing below idle. */
void put_page(struct page *page);
void put_page_many(struct page *page, uint64_t n);

/* The references, and at idle 1 (GENERIC) or 0 (the others: 6.15). For callers that hold the page or its pagemap. */
uint64_t page_count(const struct page *page);

/*
 * Allocates an idle page for its driver: one reference, locked. -ENODEV: its mapping is not live, or it is no
 * valid page of it; -EHWPOISON: it is poisoned; -EBUSY: it is not idle. The driver sees to it that no other thread
 * allocates the same page meanwhile. zone_device_data stays as it was: the driver may set it before.
 */
int zone_device_page_init(struct page *page);

/*
 * Writes `pgmap` into the struct pages of these pfns, which are valid pages of it, as the kernel does to all when it
 * maps them: for drivers that read page->pgmap of idle pages themselves. Costs 64 bytes a page, of the altmap's
 * memory if there is one.
 */
void pagemap_fill_pages(struct dev_pagemap *pgmap, uint64_t first_pfn, uint64_t last_pfn);

/*
 * What zone_device_page_init() with three arguments, its form since 6.19, calls. -EINVAL: page is not of pgmap, or
 * not the first of a compound page of 1 << order pages, all of which have pgmap->vmemmap_shift for their order. Else
 * as above.
 */
int zone_device_page_init_of(struct page *page, struct dev_pagemap *pgmap, unsigned order);

/* Any page of a mapped dev_pagemap; of what is no page WARNs, and trylock_page() is false. */
bool trylock_page(struct page *page);
void lock_page(struct page *page); /* waits */
void unlock_page(struct page *page);

/*
 * Waits until the page is idle; others may grab it again right after. Keeps the pagemap meanwhile. No cancellation
 * point.
 */
void wait_on_page_idle(struct page *page);

/* Whether memory_failure() was told of it (poison.h). For callers that hold the page or its pagemap. */
bool PageHWPoison(const struct page *page);

/*
 * These are right for every page of a mapped device, grabbed or not, and cost no memory: for callers that hold the
 * page or its pagemap. NULL, or false: it is no page (or metadata of an altmap); compound_head(): the page itself.
 * Lock-free.
 */
struct dev_pagemap *page_pgmap(const struct page *page);

/* The first page of its compound page, or itself. */
struct page *compound_head(struct page *page);

/* Where its bytes are in this process; NULL for PRIVATE. */
void *page_address(const struct page *page);

bool is_device_private_page(const struct page *page);
bool is_device_coherent_page(const struct page *page);
bool is_pci_p2pdma_page(const struct page *page);

/* ---- forms of 6.1 and of later kernels under one name: the number of arguments tells ---- */

#define get_dev_pagemap(...)                                                                                 \
    PM_SECOND_FORM(__VA_ARGS__, (get_dev_pagemap), get_dev_pagemap_of, 0)(__VA_ARGS__)
#define zone_device_page_init(...)                                                                           \
    PM_THIRD_FORM(__VA_ARGS__, zone_device_page_init_of, 0, (zone_device_page_init), 0)(__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
