// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ordinary memory: pagemap's COHERENT device memory, with the flag that says what it stands for. Pages that were
 * never used come in a row; those that came back are in a list, through page->private.
 */
#include "pagemap/compat/mm/mm.h"

#include <linux/highmem.h>
#include <linux/memory_hotplug.h>

#include "pagemap/compat/user.h"

/* These are the library's own: the table of linear maps is kept here. */
#undef memremap_pages
#undef memunmap_pages

enum { DEFAULT_RAM_BYTES = 256 << 20 };

struct ram {
    struct dev_pagemap pgmap;
    struct ram *next;
    struct resource *region;
    struct page *free;
    uint64_t fresh_pfn, end_pfn;
    uint64_t in_use;
};

static DEFINE_SPINLOCK(lock);
static struct ram *rams;
static DEFINE_MUTEX(default_lock);
static char owner;

static struct ram *ram_of(const struct page *page)
{
    return container_of(page_pgmap(page), struct ram, pgmap);
}

bool pm_is_ram(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL && pgmap->owner == &owner;
}

static void page_came_back(struct page *page)
{
    struct ram *ram = ram_of(page);

    spin_lock(&lock);
    page->private = (uint64_t)(uintptr_t)ram->free;
    ram->free = page;
    ram->in_use--;
    spin_unlock(&lock);
}

static const struct dev_pagemap_ops ops = {.page_free = page_came_back};

/* ---- allocation ---- */

/* pre: locked. `n` pages in a row, or NULL. */
static struct page *take(struct ram *ram, uint64_t n)
{
    struct page *page = n == 1 ? ram->free : NULL;

    if (page != NULL) {
        ram->free = (struct page *)(uintptr_t)page->private;
    } else if (n <= ram->end_pfn - ram->fresh_pfn) {
        page = pfn_to_page(ram->fresh_pfn);
        ram->fresh_pfn += n;
    }
    ram->in_use += page == NULL ? 0 : n;
    return page;
}

static struct page *take_any(uint64_t n)
{
    struct page *page = NULL;

    spin_lock(&lock);
    for (struct ram *ram = rams; ram != NULL && page == NULL; ram = ram->next) {
        page = take(ram, n);
    }
    spin_unlock(&lock);
    return page;
}

/* Where nothing is, once. */
static bool make_default(void)
{
    struct resource place = {.name = "System RAM"};
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = DEFAULT_RAM_BYTES};
    struct pagemap_memory *memory = NULL;
    bool made = true;

    mutex_lock(&default_lock);
    if (READ_ONCE(rams) == NULL) {
        made = allocate_resource(&iomem_resource, &place, DEFAULT_RAM_BYTES, 1ULL << 40, PHYSMEM_END, 1 << 27,
                                 NULL, NULL) == 0 &&
               release_resource(&place) == 0 && pagemap_memory_create(&options, &memory) == 0 &&
               pagemap_memory_plug(memory, place.start) == 0 &&
               pm_ram_add(place.start, DEFAULT_RAM_BYTES, "System RAM", memory) == 0;
        if (!made && memory != NULL) {
            (void)pagemap_memory_unplug(memory);
            (void)pagemap_memory_destroy(memory);
        }
    }
    mutex_unlock(&default_lock);
    return made;
}

static void prepare(struct page *page, gfp_t flags)
{
    WARN_ON(zone_device_page_init(page) != 0);
    unlock_page(page);
    page->mapping = NULL;
    page->index = page->private = 0;
    if ((flags & __GFP_ZERO) != 0) {
        clear_highpage(page);
    }
}

struct page *alloc_pages(gfp_t flags, unsigned order)
{
    struct page *page = pm_alloc_fails(flags) ? NULL : take_any(1UL << order);

    if (page == NULL && READ_ONCE(rams) == NULL && make_default()) {
        page = take_any(1UL << order);
    }
    BUG_ON(page == NULL && (flags & __GFP_NOFAIL) != 0);
    for (unsigned long i = 0; page != NULL && i < 1UL << order; i++) {
        prepare(page + i, flags);
    }
    return page;
}

struct page *alloc_pages_node(int nid, gfp_t flags, unsigned order)
{
    (void)nid;
    return alloc_pages(flags, order);
}

void __free_pages(struct page *page, unsigned order)
{
    for (unsigned long i = 0; i < 1UL << order; i++) {
        put_page(page + i);
    }
}

unsigned long __get_free_pages(gfp_t flags, unsigned order)
{
    struct page *page = alloc_pages(flags, order);

    return page == NULL ? 0 : (unsigned long)page_address(page);
}

void free_pages(unsigned long address, unsigned order)
{
    if (address != 0) {
        __free_pages(virt_to_page((void *)address), order);
    }
}

static struct page *zero;

bool pagemap_compat_is_zero_pfn(unsigned long pfn)
{
    const struct page *page = __atomic_load_n(&zero, __ATOMIC_ACQUIRE);

    return page != NULL && page_to_pfn(page) == pfn;
}

unsigned long pagemap_compat_zero_pfn(void)
{
    struct page *page = __atomic_load_n(&zero, __ATOMIC_ACQUIRE), *none = NULL;

    if (page == NULL) {
        page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL);
        if (!__atomic_compare_exchange_n(&zero, &none, page, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            __free_page(page);
            page = none;
        }
    }
    return page_to_pfn(page);
}

/* ---- coming and going ---- */

int pm_ram_add(uint64_t start, uint64_t bytes, const char *name, struct pagemap_memory *memory)
{
    struct ram *ram = kzalloc(sizeof *ram, GFP_KERNEL);
    void *linear;

    (void)memory; /* stays plugged in as long as the process lives, or belongs to the caller */
    if (ram == NULL) {
        return -ENOMEM;
    }
    ram->region = __request_region(&iomem_resource, start, bytes, name, IORESOURCE_SYSTEM_RAM);
    if (ram->region == NULL) {
        kfree(ram);
        return -EEXIST;
    }
    ram->pgmap.type = MEMORY_DEVICE_COHERENT;
    ram->pgmap.flags = PGMAP_SYSTEM_RAM;
    ram->pgmap.owner = &owner;
    ram->pgmap.ops = &ops;
    ram->pgmap.nr_range = 1;
    ram->pgmap.range = (struct range){start, start + bytes - 1};
    ram->fresh_pfn = PHYS_PFN(start);
    ram->end_pfn = PHYS_PFN(start + bytes);
    linear = memremap_pages(&ram->pgmap, NUMA_NO_NODE);
    if (!IS_ERR(linear) && pm_linear_add(&ram->pgmap, linear, bytes, PHYS_PFN(start)) != 0) {
        (void)pm_unmap(&ram->pgmap);
        linear = ERR_PTR(-ENOMEM);
    }
    if (IS_ERR(linear)) {
        release_mem_region(start, bytes);
        kfree(ram);
        return (int)PTR_ERR(linear);
    }
    spin_lock(&lock);
    ram->next = rams;
    WRITE_ONCE(rams, ram);
    spin_unlock(&lock);
    return 0;
}

int pm_ram_remove(uint64_t start, uint64_t bytes)
{
    struct ram **link, *ram;
    int error;

    spin_lock(&lock);
    for (link = &rams; *link != NULL; link = &(*link)->next) {
        if ((*link)->pgmap.range.start == start && range_len(&(*link)->pgmap.range) == bytes) {
            break;
        }
    }
    ram = *link;
    error = ram == NULL ? -EINVAL : ram->in_use > 0 ? -EBUSY : 0;
    if (error == 0) {
        *link = ram->next;
    }
    spin_unlock(&lock);
    if (error == 0) {
        (void)pm_unmap(&ram->pgmap);
        pm_linear_remove(&ram->pgmap);
        release_mem_region(start, bytes);
        kfree(ram);
    }
    return error;
}

int pagemap_compat_add_ram(uint64_t start, uint64_t bytes)
{
    return add_memory(0, start, bytes, MHP_NONE);
}

uint64_t pagemap_compat_ram_in_use(void)
{
    uint64_t pages = 0;

    spin_lock(&lock);
    pages -= __atomic_load_n(&zero, __ATOMIC_ACQUIRE) != NULL;
    for (struct ram *ram = rams; ram != NULL; ram = ram->next) {
        pages += ram->in_use;
    }
    spin_unlock(&lock);
    return pages;
}
