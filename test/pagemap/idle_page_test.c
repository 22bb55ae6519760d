// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages of a mapped device that nobody grabbed yet: drivers ask them what the kernel's memmap_init_zone_device() wrote
 * into all of them (p2pdma, device-dax, nouveau, test_hmm). The answers are right, and cost no memory.
 */
#include <errno.h>

#include "test/pagemap/file_rig.h"

static bool says_type(const struct page *page, enum memory_type type)
{
    return is_device_private_page(page) == (type == MEMORY_DEVICE_PRIVATE) &&
           is_device_coherent_page(page) == (type == MEMORY_DEVICE_COHERENT) &&
           is_pci_p2pdma_page(page) == (type == MEMORY_DEVICE_PCI_P2PDMA);
}

/* `head_pfn`: of the compound page that pfn lies in. */
static void check_idle(struct dev_pagemap *pgmap, char *linear, uint64_t pfn, uint64_t head_pfn)
{
    struct page *page = pfn_to_page(pfn);

    CHECK_EQ(page_pgmap(page), pgmap, "type %d, pfn %lu", pgmap->type, (unsigned long)pfn);
    CHECK_EQ(compound_head(page), pfn_to_page(head_pfn));
    CHECK(says_type(page, pgmap->type));
    CHECK_EQ(page_address(page), pgmap->type == MEMORY_DEVICE_PRIVATE ? NULL : linear + pfn * PAGE_SIZE);
    CHECK_EQ(page_count(page), pgmap->type == MEMORY_DEVICE_GENERIC);
    CHECK(!PageHWPoison(page));
    CHECK(!page_maybe_dma_pinned(page));
    CHECK_EQ(page_index(page), UINT64_MAX);
    wait_on_page_idle(page);
}

static void check_lock(uint64_t pfn)
{
    struct page *page = pfn_to_page(pfn);

    CHECK(trylock_page(page));
    CHECK(!trylock_page(compound_head(page)));
    unlock_page(page);
    lock_page(page);
    unlock_page(page);
}

static void check_type(enum memory_type type, unsigned shift)
{
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(type, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    char *linear;

    pgmap.vmemmap_shift = shift;
    linear = memremap_pages(&pgmap, -1);
    REQUIRE(!IS_ERR(linear));
    for (uint64_t pfn = 0; pfn < 1024; pfn += 73) {
        check_idle(&pgmap, linear, pfn, pfn & ~((UINT64_C(1) << shift) - 1));
    }
    check_lock(700);
    check_idle(&pgmap, linear, 700, 700 & ~((UINT64_C(1) << shift) - 1));
    CHECK_EQ(pagemap_memory_resident(memory), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

TEST_CASE(idle_page, knows_its_pagemap)
{
    warnings_count();
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        check_type(RIG_TYPES[i], 0);
        check_type(RIG_TYPES[i], 9);
    }
    CHECK_EQ(warnings_take(), 0);
}

/* The struct pages lie in the device, and asking is no reason for it to allocate them. */
TEST_CASE(idle_page, asking_populates_nothing)
{
    const uint64_t bytes = 256 * RIG_MB;
    struct range range = rig_range(0, bytes);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, bytes);
    char *linear;

    warnings_count();
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.free = 2048};
    linear = memremap_pages(&pgmap, -1);
    REQUIRE(!IS_ERR(linear));
    for (uint64_t pfn = 2048; pfn < bytes / PAGE_SIZE; pfn += 61) {
        check_idle(&pgmap, linear, pfn, pfn);
    }
    CHECK_EQ(pagemap_memory_resident(memory), 0);
    CHECK_EQ(page_pgmap(pfn_to_page(2047)), NULL, "metadata is no page");
    put_page(pagemap_get_page(2048));
    CHECK_GT(pagemap_memory_resident(memory), 0, "and that it does count");
    check_idle(&pgmap, linear, 2049, 2049);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* What is no page of anybody has no answers, and nothing breaks. */
TEST_CASE(idle_page, not_mapped)
{
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(page_pgmap(pfn_to_page(4096)), NULL);
    CHECK_EQ(page_address(pfn_to_page(4096)), NULL);
    CHECK_EQ(compound_head(pfn_to_page(4096)), pfn_to_page(4096));
    CHECK_EQ(page_count(pfn_to_page(4096)), 0);
    CHECK(!PageHWPoison(pfn_to_page(4096)));
    CHECK(!is_pci_p2pdma_page(pfn_to_page(4096)));
    wait_on_page_idle(pfn_to_page(4096));
    CHECK_EQ(warnings_take(), 0);
    CHECK(!trylock_page(pfn_to_page(4096)));
    lock_page(pfn_to_page(4096));
    CHECK_EQ(warnings_take(), 2);
    file_rig_tear_down(&rig);
}

/* ---- zone_device_data belongs to the driver ---- */

static void *freed_with;

static void note_free(struct page *page)
{
    freed_with = page->zone_device_data;
}

/* amdgpu, kvm-ppc and drm_pagemap set it before zone_device_page_init(), and read it in page_free(). */
static void check_data(enum memory_type type, unsigned shift)
{
    struct dev_pagemap_ops ops = {note_free, rig_migrate_to_ram, NULL, NULL};
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(type, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct page *page;

    pgmap.ops = &ops;
    pgmap.vmemmap_shift = shift;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pfn_to_page(0);
    for (uintptr_t life = 1; life <= 2; life++) {
        page->zone_device_data = (void *)(life * 8);
        REQUIRE_EQ(zone_device_page_init(page), 0);
        CHECK_EQ(page->zone_device_data, (void *)(life * 8), "type %d", type);
        unlock_page(page);
        get_page(page);
        put_page_many(page, 2);
        CHECK_EQ(freed_with, (void *)(life * 8));
    }
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

TEST_CASE(idle_page, allocation_keeps_the_drivers_data)
{
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        check_data(RIG_TYPES[i], 0);
        check_data(RIG_TYPES[i], 9);
    }
}

/* ---- GENERIC pages are handed out with a count of 1, and can be got (xen, device-dax) ---- */

TEST_CASE(idle_page, a_generic_page_can_be_got)
{
    struct file_rig rig;
    struct page *page;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    page = pfn_to_page(7);
    for (unsigned life = 0; life < 2; life++) {
        CHECK_EQ(page_count(page), 1);
        get_page(page);
        get_page(page);
        CHECK_EQ(page_count(page), 3);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1, "the busy page");
        put_page(page);
        put_page(page);
        CHECK_EQ(page_count(page), 1);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    }
    CHECK_EQ(warnings_take(), 0);
    put_page(page);
    CHECK_EQ(warnings_take(), 1, "the reference that it shows at idle is not the caller's to put");
    CHECK_EQ(page_count(page), 1);
    file_rig_tear_down(&rig);
}

/* Also while the device is dying, as long as somebody holds it. */
TEST_CASE(idle_page, a_generic_page_of_a_dying_device)
{
    struct dev_pagemap *held;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    held = get_dev_pagemap(0, NULL);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    get_page(pfn_to_page(1));
    CHECK_EQ(page_count(pfn_to_page(1)), 2);
    put_page(pfn_to_page(1));
    put_dev_pagemap(held);
    CHECK_EQ(warnings_take(), 0);
    file_rig_tear_down(&rig);
}

/* Of the other types, an idle page is nobody's to get. */
TEST_CASE(idle_page, others_cannot_be_got)
{
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        struct file_rig rig;

        if (RIG_TYPES[i] != MEMORY_DEVICE_GENERIC) {
            file_rig_set_up(&rig, RIG_TYPES[i]);
            get_page(pfn_to_page(3));
            CHECK_EQ(warnings_take(), 1);
            CHECK_EQ(page_count(pfn_to_page(3)), 0);
            file_rig_tear_down(&rig);
        }
    }
}

/* ---- put and unpin do not mix ---- */

/* A page that was got and is unpinned, or was pinned and is put: the WARN says so, and no pin stays for ever. */
static void mix(unsigned shift)
{
    struct page *page, *pinned;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    if (shift > 0) {
        file_rig_use_compound_pages(&rig);
    }
    page = pagemap_get_page(0);
    unpin_user_page(page);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(page_count(page), 2, "nothing happened");
    CHECK(!page_maybe_dma_pinned(page));
    put_page(page);
    unpin_user_page(page);
    CHECK_EQ(warnings_take(), 1, "nor to an idle one");

    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 512), 0);
    view = file_rig_view(&rig, 0, 512);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, 0, &pinned), 1);
    put_page_many(pinned, shift > 0 ? 1 : GUP_PIN_COUNTING_BIAS);
    CHECK_EQ(warnings_take(), shift > 0, "small pages cannot tell");
    CHECK_EQ(page_count(pinned), 1);
    CHECK(!page_maybe_dma_pinned(pinned));
    CHECK_EQ(vm_munmap(view, 512 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(idle_page, unpin_of_what_was_got)
{
    mix(0);
    mix(9);
}
