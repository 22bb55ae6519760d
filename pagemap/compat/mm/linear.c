// SPDX-License-Identifier: BSD-2-Clause
/* memremap.h of the kernel: pagemap's, with struct pages filled in and addresses that lead back to them. */
#include "pagemap/compat/mm/mm.h"

#include <linux/io.h>
#include <linux/spinlock.h>

#include "pagemap/compat/user.h"
#include "rangemap/rangemap.h"

/* These are the library's own. */
#undef memremap_pages
#undef memunmap_pages
#undef devm_memremap_pages
#undef devm_memunmap_pages

/*
 * Pages in a row and their addresses. Each mapping has its own, so that one that is removed late takes nothing of the
 * next at the same place.
 */
struct stretch {
    struct rangemap_deferred deferred;
    struct stretch *next;
    const struct dev_pagemap *owner;
    uint64_t vpn, pfn, nr_pages;
};

/* Virtual page numbers to stretches. */
static struct rangemap *linear_map;
static struct stretch *stretches;
static DEFINE_SPINLOCK(lock);

static struct rangemap *linear(void)
{
    return __atomic_load_n(&linear_map, __ATOMIC_ACQUIRE);
}

static int make_linear(void)
{
    struct rangemap_options options = {.domain = NULL};
    struct rangemap *made = NULL;
    int error = 0;

    spin_lock(&lock);
    if (linear() == NULL) {
        error = rangemap_create(&options, &made);
        if (error == 0) {
            __atomic_store_n(&linear_map, made, __ATOMIC_RELEASE);
        }
    }
    spin_unlock(&lock);
    return error;
}

int pm_linear_add(const struct dev_pagemap *owner, const void *start, uint64_t bytes, uint64_t pfn)
{
    struct stretch *made = malloc(sizeof *made);
    int error = made == NULL ? -ENOMEM : make_linear();

    if (error == 0) {
        *made = (struct stretch){
            .owner = owner, .vpn = (uint64_t)start >> PAGE_SHIFT, .pfn = pfn, .nr_pages = bytes / PAGE_SIZE};
        error = rangemap_store(linear(), made->vpn, made->vpn + made->nr_pages - 1, made, NULL, NULL);
    }
    if (error != 0) {
        free(made);
        return error;
    }
    spin_lock(&lock);
    made->next = stretches;
    stretches = made;
    spin_unlock(&lock);
    return 0;
}

static void free_stretch(struct rangemap_deferred *deferred, void *unused)
{
    (void)unused;
    free(container_of(deferred, struct stretch, deferred));
}

static struct stretch *take_stretch(const struct dev_pagemap *owner)
{
    struct stretch **link, *taken;

    spin_lock(&lock);
    for (link = &stretches; *link != NULL && (*link)->owner != owner; link = &(*link)->next) {
    }
    taken = *link;
    if (taken != NULL) {
        *link = taken->next;
    }
    spin_unlock(&lock);
    return taken;
}

void pm_linear_remove(const struct dev_pagemap *owner)
{
    struct stretch *stretch;

    while ((stretch = take_stretch(owner)) != NULL) {
        while (rangemap_carve_value(linear(), stretch->vpn, stretch->vpn + stretch->nr_pages - 1, stretch,
                                    NULL, NULL) == -ENOMEM) {
            (void)pagemap_barrier();
        }
        while (rangemap_domain_defer(rangemap_domain_of(linear()), &stretch->deferred, free_stretch, NULL) !=
               0) {
            (void)pagemap_barrier();
        }
    }
}

/* The device of the page, live or dying, with a reference: those who hold its pages still ask for them. */
static struct dev_pagemap *hold(unsigned long pfn)
{
    struct dev_pagemap *pgmap;

    if (pagemap_read_lock() != 0) {
        return NULL;
    }
    pgmap = find_dev_pagemap(PFN_PHYS(pfn));
    if (pgmap != NULL && !percpu_ref_tryget(&pgmap->ref)) {
        pgmap = NULL;
    }
    pagemap_read_unlock();
    return pgmap;
}

bool pfn_valid(unsigned long pfn)
{
    struct dev_pagemap *pgmap = hold(pfn);

    if (pgmap != NULL) {
        percpu_ref_put(&pgmap->ref);
    }
    return pgmap != NULL;
}

static unsigned long look_up(const void *address)
{
    uint64_t vpn = (uint64_t)address >> PAGE_SHIFT;
    unsigned long pfn = UINT64_MAX;
    void *value;

    if (linear() != NULL && rangemap_read_begin(linear()) == 0) {
        if (rangemap_lookup_held(linear(), vpn, &value) == 0) {
            pfn = ((struct stretch *)value)->pfn + (vpn - ((struct stretch *)value)->vpn);
        }
        rangemap_read_end(linear());
    }
    return pfn;
}

/* What is not held any more is gone, or about to go. */
unsigned long virt_to_pfn(const void *address)
{
    unsigned long pfn = look_up(address);

    return pfn != UINT64_MAX && pfn_valid(pfn) ? pfn : UINT64_MAX;
}

struct page *virt_to_page(const void *address)
{
    unsigned long pfn = virt_to_pfn(address);

    return pfn == UINT64_MAX ? NULL : pfn_to_page(pfn);
}

phys_addr_t virt_to_phys(const volatile void *address)
{
    unsigned long pfn = virt_to_pfn((const void *)(uintptr_t)address);

    return pfn == UINT64_MAX ? PHYS_ADDR_MAX : PFN_PHYS(pfn) + offset_in_page(address);
}

bool virt_addr_valid(const void *address)
{
    return virt_to_pfn(address) != UINT64_MAX;
}

void *phys_to_virt(phys_addr_t address)
{
    struct dev_pagemap *pgmap = hold(PHYS_PFN(address));
    char *page;

    if (pgmap == NULL) {
        return NULL;
    }
    page = page_address(pfn_to_page(PHYS_PFN(address)));
    percpu_ref_put(&pgmap->ref);
    return page == NULL ? NULL : page + offset_in_page(address);
}

struct page *pagemap_compat_online_page(unsigned long pfn)
{
    return pfn_valid(pfn) && pm_is_ram(pfn_to_page(pfn)) ? pfn_to_page(pfn) : NULL;
}

/* ---- mapping ---- */

int pm_unmap(struct dev_pagemap *pgmap)
{
    int error;

    while ((error = memunmap_pages(pgmap)) == -ENOMEM) {
        (void)pagemap_barrier();
    }
    return error;
}

/* The first valid page of a range: pages of an altmap come before it. */
static uint64_t first_page(struct dev_pagemap *pgmap, unsigned id)
{
    return PHYS_PFN(pgmap->ranges[id].start) + (id == 0 ? vmem_altmap_offset(pgmap_altmap(pgmap)) : 0);
}

/* Where its valid pages are, and how many bytes; NULL: nowhere. */
static char *bytes_of(struct dev_pagemap *pgmap, unsigned id, uint64_t *bytes)
{
    uint64_t first = first_page(pgmap, id), end = PHYS_PFN(pgmap->ranges[id].end) + 1;

    *bytes = (end - first) * PAGE_SIZE;
    return first < end ? page_address(pfn_to_page(first)) : NULL;
}

static int note_range(struct dev_pagemap *pgmap, unsigned id)
{
    uint64_t bytes;
    const void *start = bytes_of(pgmap, id, &bytes);

    pagemap_fill_pages(pgmap, first_page(pgmap, id), PHYS_PFN(pgmap->ranges[id].end));
    return start == NULL ? 0 : pm_linear_add(pgmap, start, bytes, first_page(pgmap, id));
}

void *pagemap_compat_memremap_pages(struct dev_pagemap *pgmap, int nid)
{
    void *start = memremap_pages(pgmap, nid);
    int error = 0;

    for (unsigned i = 0; !IS_ERR(start) && i < pgmap->nr_range && error == 0; i++) {
        error = note_range(pgmap, i);
    }
    if (error != 0) {
        (void)pagemap_compat_memunmap_pages(pgmap);
        return ERR_PTR(error);
    }
    return start;
}

/* Holders find their pages to the end. Kernel: memunmap_pages(), which waits before it takes the memmap away. */
int pagemap_compat_memunmap_pages(struct dev_pagemap *pgmap)
{
    int error = pm_unmap(pgmap);

    if (error == 0) {
        pm_linear_remove(pgmap);
    }
    return error;
}

static void unmap_device(void *pgmap)
{
    (void)pagemap_compat_memunmap_pages(pgmap);
}

void *pagemap_compat_devm_memremap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    void *start = pagemap_compat_memremap_pages(pgmap, dev_to_node(dev));
    int error = IS_ERR(start) ? 0 : devm_add_action_or_reset(dev, unmap_device, pgmap);

    return error != 0 ? ERR_PTR(error) : start;
}

void pagemap_compat_devm_memunmap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    (void)devm_release_action(dev, unmap_device, pgmap);
}

/* ---- without pages ---- */

/* Mapped as device memory whose pages are not used: what else would tell what stands behind it? */
struct plain {
    struct dev_pagemap pgmap;
    struct plain *next;
    void *start;
};

static struct plain *plains;

void *memremap(resource_size_t offset, size_t bytes, unsigned long flags)
{
    struct plain *plain = kzalloc(sizeof *plain, GFP_KERNEL);
    resource_size_t first = offset & ~(SUBSECTION_SIZE - 1);
    char *start;

    (void)flags;
    if (plain == NULL) {
        return NULL;
    }
    plain->pgmap.type = MEMORY_DEVICE_GENERIC;
    plain->pgmap.nr_range = 1;
    plain->pgmap.range.start = first;
    plain->pgmap.range.end = ((offset + bytes - 1) | (SUBSECTION_SIZE - 1));
    start = memremap_pages(&plain->pgmap, NUMA_NO_NODE);
    if (IS_ERR(start)) {
        kfree(plain);
        return NULL;
    }
    plain->start = start + (offset - first);
    spin_lock(&lock);
    plain->next = plains;
    plains = plain;
    spin_unlock(&lock);
    return plain->start;
}

void memunmap(void *address)
{
    struct plain **link, *plain;

    spin_lock(&lock);
    for (link = &plains; *link != NULL && (*link)->start != address; link = &(*link)->next) {
    }
    plain = *link;
    if (plain != NULL) {
        *link = plain->next;
    }
    spin_unlock(&lock);
    if (plain != NULL) {
        (void)pm_unmap(&plain->pgmap);
        kfree(plain);
    }
}

void *devm_memremap(struct device *dev, resource_size_t offset, size_t bytes, unsigned long flags)
{
    void *start = memremap(offset, bytes, flags);
    int error = start == NULL ? -ENXIO : devm_add_action_or_reset(dev, memunmap, start);

    return error != 0 ? ERR_PTR(error) : start;
}

void devm_memunmap(struct device *dev, void *address)
{
    (void)devm_release_action(dev, memunmap, address);
}

void *devm_memremap_resource(struct device *dev, const struct resource *res)
{
    return devm_request_mem_region(dev, res->start, resource_size(res), dev_name(dev)) == NULL
               ? ERR_PTR(-EBUSY)
               : devm_memremap(dev, res->start, resource_size(res), MEMREMAP_WB);
}
