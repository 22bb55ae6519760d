// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages() and its family: errors in order, lookups, references, teardown. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "pagemap/base/fault.h"
#include "test/pagemap/rig.h"

static const enum memory_type TYPES[] = {MEMORY_DEVICE_PRIVATE, MEMORY_DEVICE_COHERENT, MEMORY_DEVICE_FS_DAX,
                                         MEMORY_DEVICE_GENERIC, MEMORY_DEVICE_PCI_P2PDMA};
enum { NR_TYPES = sizeof TYPES / sizeof *TYPES };

/* The first errors of the table, none of which needs memory. Each call breaks one rule more than the next. */
TEST_CASE(memremap, errors_of_the_arguments_in_order)
{
    struct range range = rig_range(RIG_GB + 1, RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap((enum memory_type)77, &range, 0);
    struct dev_pagemap_ops ops = {NULL, NULL, NULL};

    warnings_count();
    CHECK_EQ(rig_map(NULL), -EINVAL);
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "nr_range 0");
    pgmap.nr_range = 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "vmemmap_shift");
    CHECK_EQ(warnings_take(), 0, "the type was not looked at yet");
    pgmap.vmemmap_shift = 0;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "type");
    CHECK_EQ(warnings_take(), 1);

    for (unsigned i = 0; i < 2; i++) { /* PRIVATE and COHERENT */
        pgmap.type = TYPES[i];
        pgmap.ops = NULL;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "ops NULL: a crash in the kernel (latent bug L3)");
        pgmap.ops = &ops;
        ops.page_free = NULL;
        ops.migrate_to_ram = rig_migrate_to_ram;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "page_free");
        ops.page_free = rig_page_free;
        pgmap.owner = NULL;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "owner");
        pgmap.owner = &rig_owner;
    }
    pgmap.type = MEMORY_DEVICE_PRIVATE;
    ops.migrate_to_ram = NULL;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "migrate_to_ram");
    ops.migrate_to_ram = rig_migrate_to_ram;
    (void)pm_fault_arm(1);
    CHECK_EQ(rig_map(&pgmap), -ENOMEM, "the reference comes before the range, which is bad");
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "the range");
    CHECK_EQ(warnings_take(), 0);
}

static int try_map(uint64_t start, uint64_t end)
{
    struct range range = {start, end};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    int error = rig_map(&pgmap);

    if (error == 0) {
        memunmap_pages(&pgmap);
    }
    return error;
}

TEST_CASE(memremap, errors_of_the_range_in_order)
{
    struct pagemap_memory *memory = rig_plug(4 * RIG_GB, 64 * RIG_MB);
    struct resource ram = {8 * RIG_GB, 9 * RIG_GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM, NULL, NULL, NULL};
    struct range range = rig_range(4 * RIG_GB, 64 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    warnings_count();
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "mapped");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(try_map(4 * RIG_GB + 1, 8 * RIG_GB + 5), -ENOMEM, "conflict before RAM and alignment");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(try_map(8 * RIG_GB + 1, 8 * RIG_GB + 5), -ENXIO, "RAM before alignment");
    CHECK_EQ(try_map(8 * RIG_GB - 1, 8 * RIG_GB), -ENXIO, "mixed");
    CHECK_EQ(try_map(6 * RIG_GB, 6 * RIG_GB - 1), -EINVAL, "empty");
    CHECK_EQ(try_map(7 * RIG_GB, 6 * RIG_GB), -EINVAL, "backwards");
    CHECK_EQ(try_map(PHYSMEM_END - 5, PHYSMEM_END + 5), -EINVAL, "alignment before the end");
    CHECK_EQ(try_map(6 * RIG_GB + 4096, 6 * RIG_GB + 2 * RIG_MB + 4095), -EINVAL, "start");
    CHECK_EQ(try_map(6 * RIG_GB, 6 * RIG_GB + RIG_MB - 1), -EINVAL, "length");
    CHECK_EQ(try_map(PHYSMEM_END + 1, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(try_map(PHYSMEM_END + 1 - 2 * RIG_MB, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(try_map(6 * RIG_GB, 6 * RIG_GB + 2 * RIG_MB - 1), -ENXIO, "no memory behind it");
    CHECK_EQ(try_map(4 * RIG_GB + 64 * RIG_MB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO);
    CHECK_EQ(warnings_take(), 0);
    CHECK(rig_finds(PHYS_PFN(4 * RIG_GB), &pgmap));
    memunmap_pages(&pgmap);
    CHECK_EQ(try_map(4 * RIG_GB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO, "memory behind a part only");
    CHECK_EQ(try_map(4 * RIG_GB, 4 * RIG_GB + 64 * RIG_MB - 1), 0);
    memunmap_pages(&pgmap);
    CHECK_EQ(warnings_take(), 1, "unmapped twice");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
}

/* Bugs 1, 2, 4 and 5, and the latent L1: an overlap of any shape is refused, and the victim stays whole. */
TEST_CASE(memremap, bug1_overlap_of_any_shape_leaves_the_other_intact)
{
    const uint64_t base = 4 * RIG_GB, unit = 2 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(base, 20 * unit);
    struct range range = rig_range(base + 8 * unit, 4 * unit);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    for (uint64_t start = 4; start < 16; start++) {
        for (uint64_t end = start; end < 16; end++) {
            bool overlaps = start <= 11 && end >= 8;

            CHECK_EQ(try_map(base + start * unit, base + (end + 1) * unit - 1), overlaps ? -ENOMEM : 0,
                     "%d..%d", (int)start, (int)end);
            CHECK_EQ(warnings_take(), overlaps);
            for (uint64_t at = 4; at < 16; at++) {
                CHECK(rig_finds(PHYS_PFN(base + at * unit), at >= 8 && at <= 11 ? &pgmap : NULL));
            }
        }
    }
    CHECK(rig_finds(PHYS_PFN(range.start) - 1, NULL), "the range's own bounds, not a section's (bug 2)");
    CHECK(rig_finds(PHYS_PFN(range.end) + 1, NULL));
    memunmap_pages(&pgmap);
    CHECK(rig_finds(PHYS_PFN(range.start), NULL));
    CHECK(rig_finds(PHYS_PFN(range.end), NULL));
    rig_unplug(memory);
}

TEST_CASE(memremap, several_ranges_and_the_cached_argument)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range two[2] = {rig_range(2 * RIG_MB, 2 * RIG_MB), rig_range(32 * RIG_MB, 4 * RIG_MB)};
    struct range one = rig_range(8 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap a = rig_pgmap(MEMORY_DEVICE_GENERIC, two, 2), *held;
    struct dev_pagemap b = rig_pgmap(MEMORY_DEVICE_GENERIC, &one, 1);

    warnings_count();
    REQUIRE_EQ(rig_map(&a), 0);
    REQUIRE_EQ(rig_map(&b), 0);
    CHECK(rig_finds(PHYS_PFN(two[0].start), &a));
    CHECK(rig_finds(PHYS_PFN(two[1].end), &a));
    CHECK(rig_finds(PHYS_PFN(two[0].end) + 1, NULL), "the hole between");
    held = get_dev_pagemap(PHYS_PFN(two[0].start), NULL);
    REQUIRE_EQ(held, &a);
    CHECK_EQ(pgmap_nr_references(&a), 1);
    held = get_dev_pagemap(PHYS_PFN(two[1].start), held); /* the kernel knows the first range only (L5) */
    CHECK_EQ(held, &a);
    CHECK_EQ(pgmap_nr_references(&a), 1, "reused");
    held = get_dev_pagemap(PHYS_PFN(one.start), held);
    CHECK_EQ(held, &b);
    CHECK_EQ(pgmap_nr_references(&a), 0, "put");
    CHECK_EQ(pgmap_nr_references(&b), 1);
    CHECK_EQ(get_dev_pagemap(0, held), NULL);
    CHECK_EQ(pgmap_nr_references(&b), 0, "put, though nothing was found (bugs 22 and 30)");
    put_dev_pagemap(NULL);

    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(find_dev_pagemap(two[1].start + 5), &a);
    CHECK_EQ(find_dev_pagemap(0), NULL);
    pagemap_read_unlock();
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(find_dev_pagemap(one.end), &b);
    CHECK_EQ(warnings_take(), 1, "outside of a read section");
    memunmap_pages(&b);
    memunmap_pages(&a);
    rig_unplug(memory);
}

TEST_CASE(memremap, a_failing_second_range_unwinds_the_first)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[3] = {rig_range(0, 2 * RIG_MB), rig_range(4 * RIG_MB, 2 * RIG_MB),
                              rig_range(RIG_GB, 2 * RIG_MB)};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, ranges, 3);

    CHECK_EQ(rig_map(&pgmap), -ENXIO);
    CHECK(rig_finds(0, NULL));
    CHECK(rig_finds(PHYS_PFN(ranges[1].start), NULL));
    CHECK_EQ(pgmap.nr_range, 3);
    CHECK_EQ(pagemap_memory_unplug(memory), 0, "not in use any more");
    REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
    ranges[2] = rig_range(2 * RIG_MB, 4 * RIG_MB);
    CHECK_EQ(rig_map(&pgmap), -ENOMEM, "its own second range is in the way");
    ranges[2] = rig_range(2 * RIG_MB, 2 * RIG_MB);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

/* Every step that can fail does: all or nothing, and the very same arguments work afterwards. */
TEST_CASE(memremap, each_failing_step_leaves_nothing_behind)
{
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);

    for (unsigned type = 0; type < NR_TYPES; type++) {
        struct range ranges[2] = {rig_range(0, 128 * RIG_MB), rig_range(192 * RIG_MB, 2 * RIG_MB)};
        struct dev_pagemap pgmap = rig_pgmap(TYPES[type], ranges, type % 2 == 0 ? 1 : 2);
        unsigned failed = 0;
        bool all = false;

        if (pgmap.nr_range == 1 && TYPES[type] != MEMORY_DEVICE_PRIVATE) {
            pgmap.flags = PGMAP_ALTMAP_VALID;
            pgmap.altmap = (struct vmem_altmap){.reserve = 2, .free = 1022};
        }
        for (unsigned step = 1; !all; step++) {
            int error;

            (void)pm_fault_arm(step);
            error = rig_map(&pgmap);
            all = pm_fault_arm(0) != 0;
            CHECK_EQ(error, all ? 0 : -ENOMEM, "step %u", step);
            CHECK(rig_finds(PHYS_PFN(ranges[0].end), error == 0 ? &pgmap : NULL));
            failed += error != 0;
            if (error == 0) {
                memunmap_pages(&pgmap);
            }
            CHECK_EQ(pgmap.altmap.alloc, 0);
            CHECK_EQ(pagemap_memory_unplug(memory), 0);
            REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
        }
        CHECK_GE(failed, 6, "type %u", type);
    }
    rig_unplug(memory);
}

struct teardown {
    struct dev_pagemap *pgmap;
    uint64_t is_done;
};

static void *tear_down(void *context)
{
    struct teardown *teardown = context;

    memunmap_pages(teardown->pgmap);
    (void)__atomic_exchange_n(&teardown->is_done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static bool is_done_after(struct teardown *teardown, unsigned microseconds)
{
    (void)usleep(microseconds);
    return __atomic_load_n(&teardown->is_done, __ATOMIC_SEQ_CST) != 0;
}

/* A page with one reference, however pages of this type are had. */
static struct page *hold_page(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    struct page *page = pfn_to_page(pfn);

    if (pgmap->type != MEMORY_DEVICE_PRIVATE && pgmap->type != MEMORY_DEVICE_COHERENT) {
        return pagemap_get_page(pfn);
    }
    CHECK_EQ(pagemap_get_page(pfn), NULL, "idle: it must be allocated");
    REQUIRE_EQ(zone_device_page_init(page), 0);
    CHECK_EQ(zone_device_page_init(page), -EBUSY);
    CHECK(!trylock_page(page), "it comes locked");
    unlock_page(page);
    return page;
}

/*
 * Bugs 9 and 21, and what the kernel never did for FS_DAX and GENERIC: teardown waits for pages in use, new
 * ones fail meanwhile, and a page's bytes are there until its last reference goes.
 */
TEST_CASE(memremap, bug9_bug21_teardown_drains_pages_of_every_type)
{
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);

    warnings_count();
    for (unsigned i = 0; i < NR_TYPES; i++) {
        struct range range = rig_range(0, 8 * RIG_MB);
        struct dev_pagemap pgmap = rig_pgmap(TYPES[i], &range, 1);
        struct teardown teardown = {&pgmap, 0};
        uint64_t idle = TYPES[i] == MEMORY_DEVICE_GENERIC;
        struct page *page;
        pthread_t thread;

        rig_freed = 0;
        REQUIRE_EQ(rig_map(&pgmap), 0);
        CHECK_EQ(page_count(pfn_to_page(7)), idle);
        page = hold_page(&pgmap, 7);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_count(page), idle + 1);
        CHECK_EQ(pagemap_get_page(7), page, "not idle: also if it was allocated");
        get_page(page);
        CHECK_EQ(page_count(page), idle + 3);
        CHECK_EQ(pgmap_nr_references(&pgmap), 1, "one for a busy page, however busy");

        REQUIRE_EQ(pthread_create(&thread, NULL, tear_down, &teardown), 0);
        while (!rig_finds(8, NULL)) {
        }
        CHECK(!is_done_after(&teardown, 2000));
        CHECK_EQ(pagemap_get_page(7), NULL, "killed");
        CHECK_EQ(zone_device_page_init(pfn_to_page(9)), -ENODEV, "no allocation after the kill (L6)");
        CHECK_EQ(try_map(0, 2 * RIG_MB - 1), -EEXIST, "it is being torn down");
        put_page_many(page, 2);
        CHECK(!is_done_after(&teardown, 2000), "one is left");
        CHECK_EQ(page_address(page) == NULL, TYPES[i] == MEMORY_DEVICE_PRIVATE);
        if (page_address(page) != NULL) {
            memset(page_address(page), 1, PAGE_SIZE);
        }
        CHECK_EQ(rig_freed, 0);
        put_page(page);
        (void)pthread_join(thread, NULL);
        CHECK_EQ(rig_freed, 1);
        CHECK(rig_finds(7, NULL));
        REQUIRE_EQ(rig_map(&pgmap), 0, "again, as it is (bug 12)");
        CHECK_EQ(page_count(pfn_to_page(7)), idle);
        memunmap_pages(&pgmap);
    }
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* Bug 19: get against unmap. The holder of a bare reference is waited for too. */
TEST_CASE(memremap, bug19_teardown_waits_for_holders_of_the_pagemap)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct teardown teardown = {&pgmap, 0};
    pthread_t thread;

    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(get_dev_pagemap(1, NULL), &pgmap);
    REQUIRE_EQ(pthread_create(&thread, NULL, tear_down, &teardown), 0);
    CHECK(!is_done_after(&teardown, 5000));
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(find_dev_pagemap(0), &pgmap, "dying, and still there to be found");
    pagemap_read_unlock();
    put_dev_pagemap(&pgmap);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(teardown.is_done, 1);
    rig_unplug(memory);
}

static void *wait_idle(void *page)
{
    wait_on_page_idle(page);
    return NULL;
}

/* Bug 20: many references dropped at once must wake too. */
TEST_CASE(memremap, bug20_dropping_many_at_once_wakes)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct page *page;
    pthread_t thread;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pagemap_get_page(3);
    REQUIRE_NE(page, NULL);
    for (unsigned i = 0; i < 4; i++) {
        get_page(page);
    }
    REQUIRE_EQ(pthread_create(&thread, NULL, wait_idle, page), 0);
    (void)usleep(2000);
    put_page_many(page, 5);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(page_count(page), 0);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK_EQ(warnings_take(), 0);
    put_page(page);
    CHECK_EQ(warnings_take(), 1, "below idle");
    get_page(page);
    CHECK_EQ(warnings_take(), 1, "of an idle page");
    CHECK_EQ(page_count(page), 0);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

TEST_CASE(memremap, compound_pages_count_in_the_first)
{
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);
    struct range range = rig_range(0, 8 * RIG_MB), odd = rig_range(2 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &odd, 1);
    struct page *tail, *other;

    pgmap.vmemmap_shift = 10;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "4 MiB pages in a range of 2 MiB");
    pgmap.ranges = &range;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pgmap_vmemmap_nr(&pgmap), 1024);
    tail = pagemap_get_page(1025);
    other = pagemap_get_page(2047);
    REQUIRE_EQ(tail, pfn_to_page(1025));
    REQUIRE_EQ(other, pfn_to_page(2047));
    CHECK_EQ(compound_head(tail), pfn_to_page(1024));
    CHECK_EQ(page_count(tail), 3);
    CHECK_EQ(page_count(compound_head(other)), 3);
    CHECK_EQ(pgmap_nr_references(&pgmap), 1);
    CHECK_EQ((char *)page_address(other) - (char *)page_address(tail), 1022 * 4096);
    put_page(tail);
    CHECK_EQ(pgmap_nr_references(&pgmap), 1);
    put_page(other);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK_EQ(pagemap_get_page(0), pfn_to_page(0));
    CHECK_EQ(page_count(pfn_to_page(1024)), 1, "another compound page");
    put_page(pfn_to_page(0));
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

TEST_CASE(memremap, types_can_be_told)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);

    for (unsigned i = 0; i < NR_TYPES; i++) {
        struct range range = rig_range(0, 2 * RIG_MB);
        struct dev_pagemap pgmap = rig_pgmap(TYPES[i], &range, 1);
        struct page *page;

        REQUIRE_EQ(rig_map(&pgmap), 0);
        page = hold_page(&pgmap, 11);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_pgmap(page), &pgmap);
        CHECK_EQ(page_to_pfn(page), 11);
        CHECK_EQ(is_device_private_page(page), TYPES[i] == MEMORY_DEVICE_PRIVATE);
        CHECK_EQ(is_device_coherent_page(page), TYPES[i] == MEMORY_DEVICE_COHERENT);
        CHECK_EQ(is_pci_p2pdma_page(page), TYPES[i] == MEMORY_DEVICE_PCI_P2PDMA);
        put_page(page);
        memunmap_pages(&pgmap);
    }
    rig_unplug(memory);
}

/* Bug 8: a devm action that could not be added left the mapping behind. LIFO: the region goes last. */
TEST_CASE(memremap, bug8_devm)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct device dev;
    bool all = false;

    warnings_count();
    device_initialize(&dev, "dax0.0");
    for (unsigned step = 1; !all; step++) {
        void *linear;

        (void)pm_fault_arm(step);
        linear = devm_memremap_pages(&dev, &pgmap);
        all = pm_fault_arm(0) != 0;
        if (!all) {
            CHECK_EQ(PTR_ERR(linear), -ENOMEM);
            CHECK(rig_finds(0, NULL));
            CHECK_EQ(devres_release_all(&dev), 0);
        }
    }
    CHECK(rig_finds(0, &pgmap));
    devm_memunmap_pages(&dev, &pgmap);
    CHECK(rig_finds(0, NULL));
    REQUIRE_NE(devm_request_mem_region(&dev, 0, 2 * RIG_MB, "dax0.0"), NULL);
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    CHECK_EQ(devres_release_all(&dev), 2);
    CHECK(rig_finds(0, NULL));
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}
