// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages() and its family: errors in order, overlaps, lookups, failures half-way. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "pagemap/base/fault.h"
#include "test/pagemap/rig.h"

/* The first errors of the table, none of which needs memory. Each call breaks one rule more than the next. */
TEST_CASE(memremap, errors_of_the_arguments_in_order)
{
    struct range range = rig_range(RIG_GB + 1, RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap((enum memory_type)77, &range, 0);
    struct dev_pagemap_ops ops = {NULL, NULL, NULL};

    warnings_count();
    CHECK_EQ(rig_map(NULL), -EINVAL);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0, "never mapped");
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "nr_range 0");
    pgmap.nr_range = 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "vmemmap_shift");
    CHECK_EQ(warnings_take(), 0, "the type was not looked at yet");
    pgmap.vmemmap_shift = 0;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "type");
    CHECK_EQ(warnings_take(), 1);

    for (unsigned i = 0; i < 2; i++) { /* PRIVATE and COHERENT */
        pgmap.type = RIG_TYPES[i];
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
    CHECK_EQ(rig_try_map(4 * RIG_GB + 1, 8 * RIG_GB + 5), -ENOMEM, "conflict before RAM and alignment");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(8 * RIG_GB + 1, 8 * RIG_GB + 5), -ENXIO, "RAM before alignment");
    CHECK_EQ(rig_try_map(8 * RIG_GB - 1, 8 * RIG_GB), -ENXIO, "mixed");
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB - 1), -EINVAL, "empty");
    CHECK_EQ(rig_try_map(7 * RIG_GB, 6 * RIG_GB), -EINVAL, "backwards");
    CHECK_EQ(rig_try_map(PHYSMEM_END - 5, PHYSMEM_END + 5), -EINVAL, "alignment before the end");
    CHECK_EQ(rig_try_map(6 * RIG_GB + 4096, 6 * RIG_GB + 2 * RIG_MB + 4095), -EINVAL, "start");
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB + RIG_MB - 1), -EINVAL, "length");
    CHECK_EQ(rig_try_map(PHYSMEM_END + 1, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(rig_try_map(PHYSMEM_END + 1 - 2 * RIG_MB, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB + 2 * RIG_MB - 1), -ENXIO, "no memory behind it");
    CHECK_EQ(rig_try_map(4 * RIG_GB + 64 * RIG_MB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO);
    CHECK_EQ(warnings_take(), 0);
    CHECK(rig_finds(PHYS_PFN(4 * RIG_GB), &pgmap));
    memunmap_pages(&pgmap);
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO, "memory behind a part only");
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 64 * RIG_MB - 1), 0);
    memunmap_pages(&pgmap);
    CHECK_EQ(warnings_take(), 1, "unmapped twice");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
}

/* Bugs 1, 2, 4 and 5, and the latent L1: an overlap of any shape is refused, and the victim stays whole. */
TEST_CASE(memremap, bug1_bug2_bug4_bug5_overlap_leaves_the_other_intact)
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

            CHECK_EQ(rig_try_map(base + start * unit, base + (end + 1) * unit - 1), overlaps ? -ENOMEM : 0,
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

TEST_CASE(memremap, bug22_bug30_several_ranges_and_the_cached_argument)
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

    for (unsigned type = 0; type < RIG_NR_TYPES; type++) {
        struct range ranges[2] = {rig_range(0, 128 * RIG_MB), rig_range(192 * RIG_MB, 2 * RIG_MB)};
        struct dev_pagemap pgmap = rig_pgmap(RIG_TYPES[type], ranges, type % 2 == 0 ? 1 : 2);
        unsigned failed = 0;
        bool all = false;

        if (pgmap.nr_range == 1 && RIG_TYPES[type] != MEMORY_DEVICE_PRIVATE) {
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
