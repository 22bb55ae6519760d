// SPDX-License-Identifier: BSD-2-Clause
/* What memremap_pages() refuses: in which order, on both sides of each boundary, and what it says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/rig.h"

/* The first errors of the table, none of which needs memory. Each call breaks one rule more than the next. */
TEST_CASE(memremap, errors_of_the_arguments_in_order)
{
    struct range range = rig_range(RIG_GB + 1, RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap((enum memory_type)77, &range, 0);
    struct dev_pagemap_ops ops = {NULL, NULL, NULL, NULL};

    warnings_count();
    CHECK_EQ(rig_map(NULL), -EINVAL);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0, "never mapped");
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "nr_range 0");
    pgmap.nr_range = 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "vmemmap_shift");
    CHECK_EQ(warnings_take(), 3, "each refusal says why");
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
    CHECK_EQ(warnings_take(), 8, "all but -ENOMEM say why");
}

TEST_CASE(memremap, errors_of_the_range_in_order)
{
    struct pagemap_memory *memory = rig_plug(4 * RIG_GB, 64 * RIG_MB);
    struct resource ram = {8 * RIG_GB, 9 * RIG_GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM,
                           0,          NULL,           NULL,         NULL};
    struct range range = rig_range(4 * RIG_GB, 64 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    warnings_count();
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "mapped");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(4 * RIG_GB + 1, 8 * RIG_GB + 5), -ENOMEM, "conflict before RAM and alignment");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(4 * RIG_GB + PAGE_SIZE, 4 * RIG_GB + 2 * PAGE_SIZE - 1), -ENOMEM,
             "of one page, too");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(8 * RIG_GB + 1, 8 * RIG_GB + 5), -ENXIO, "RAM before alignment");
    CHECK_EQ(rig_try_map(8 * RIG_GB + 5, 8 * RIG_GB + 5), -ENXIO, "one byte of it");
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
    CHECK_EQ(warnings_take(), 12, "each says why");
    CHECK(rig_finds(PHYS_PFN(4 * RIG_GB), &pgmap));
    memunmap_pages(&pgmap);
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO, "memory behind a part only");
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 64 * RIG_MB - 1), 0);
    memunmap_pages(&pgmap);
    CHECK_EQ(warnings_take(), 2, "the refusal, and unmapped twice");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
}

/* ---- what a refusal says ---- */

static char said[256];

static void note_text(const char *message)
{
    (void)snprintf(said, sizeof said, "%s", message);
}

static void check_said(struct dev_pagemap *pgmap, int error, const char *reason)
{
    said[0] = 0;
    CHECK_EQ(rig_map(pgmap), error, "%s", reason);
    CHECK_NE(strstr(said, reason), NULL, "it said '%s', not '%s'", said, reason);
    CHECK_EQ(strstr(said, "memremap_pages(): "), said);
}

/* Two causes of one errno can be told apart, and the range is named. */
TEST_CASE(memremap, refusals_say_why)
{
    struct resource ram = {3 * RIG_GB, 4 * RIG_GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM,
                           0,          NULL,           NULL,         NULL};
    struct range bad[] = {
        {4096, 8191}, {3 * RIG_GB, 3 * RIG_GB + 2 * RIG_MB - 1}, {RIG_GB, RIG_GB + 2 * RIG_MB - 1}};
    const char *reasons[] = {"range 0, 0x1000-0x1fff, misaligned", "System RAM", "no memory is plugged in"};
    const int errors[] = {-EINVAL, -ENXIO, -ENXIO};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &bad[2], 1);
    struct dev_pagemap_ops ops = rig_ops;
    struct rig_many many = rig_many(MEMORY_DEVICE_FS_DAX, bad, 2);

    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    (void)pagemap_set_warn_fn(note_text);
    pgmap.ops = &ops;
    ops.migrate_to_ram = NULL;
    check_said(&pgmap, -EINVAL, "missing migrate_to_ram");
    ops.migrate_to_ram = rig_migrate_to_ram;
    ops.page_free = NULL;
    check_said(&pgmap, -EINVAL, "missing page_free");
    ops.page_free = rig_page_free;
    pgmap.owner = NULL;
    check_said(&pgmap, -EINVAL, "missing owner");
    pgmap.nr_range = 0;
    check_said(&pgmap, -EINVAL, "nr_range");
    for (unsigned i = 0; i < 3; i++) {
        pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &bad[i], 1);
        check_said(&pgmap, errors[i], reasons[i]);
    }
    pgmap.flags = PGMAP_ALTMAP_VALID;
    check_said(&pgmap, -EINVAL, "altmap");
    many.pgmap.range = bad[2];
    many.pgmap.type = MEMORY_DEVICE_PRIVATE;
    check_said(&many.pgmap, -ENXIO, "range 1");
    (void)pagemap_set_warn_fn(NULL);
    CHECK_EQ(release_resource(&ram), 0);
    pagemap_barrier();
}

/* ---- one rule at a time ---- */

/* All is right but what the caller breaks: then and only then it is refused, for that reason. */
static void check_rule(struct dev_pagemap pgmap, int error, const char *reason)
{
    (void)pagemap_set_warn_fn(note_text);
    said[0] = 0;
    CHECK_EQ(rig_map(&pgmap), error, "%s", reason);
    CHECK_NE(strstr(said, reason), NULL, "it said '%s', not '%s'", said, reason);
    (void)pagemap_set_warn_fn(NULL);
    if (error == 0) {
        memunmap_pages(&pgmap);
    }
}

static void check_rules_of_allocated(enum memory_type type, const struct range *range)
{
    struct dev_pagemap pgmap = rig_pgmap(type, range, 1);
    struct dev_pagemap_ops ops = rig_ops;

    check_rule(pgmap, 0, "");
    pgmap.ops = NULL;
    check_rule(pgmap, -EINVAL,
               type == MEMORY_DEVICE_PRIVATE ? "missing migrate_to_ram" : "missing page_free");
    pgmap.ops = &ops;
    ops.page_free = NULL;
    check_rule(pgmap, -EINVAL, "missing page_free");
    ops.folio_free = rig_ops.folio_free;
    ops.page_free = rig_page_free;
    ops.migrate_to_ram = NULL;
    check_rule(pgmap, type == MEMORY_DEVICE_PRIVATE ? -EINVAL : 0,
               type == MEMORY_DEVICE_PRIVATE ? "missing migrate_to_ram" : "");
    ops.migrate_to_ram = rig_migrate_to_ram;
    pgmap.owner = NULL;
    check_rule(pgmap, -EINVAL, "missing owner");
}

TEST_CASE(memremap, one_broken_rule_of_the_arguments)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_GB);
    struct range range = rig_range(0, RIG_GB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    check_rules_of_allocated(MEMORY_DEVICE_PRIVATE, &range);
    check_rules_of_allocated(MEMORY_DEVICE_COHERENT, &range);
    for (unsigned type = 2; type < RIG_NR_TYPES; type++) {
        pgmap.type = RIG_TYPES[type];
        pgmap.ops = NULL;
        pgmap.owner = NULL;
        check_rule(pgmap, 0, "");
    }
    pgmap.type = (enum memory_type)0;
    check_rule(pgmap, -EINVAL, "invalid memory type 0");
    pgmap.type = (enum memory_type)(MEMORY_DEVICE_PCI_P2PDMA + 1);
    check_rule(pgmap, -EINVAL, "invalid memory type 6");
    pgmap.type = MEMORY_DEVICE_GENERIC;
    pgmap.nr_range = 0;
    check_rule(pgmap, -EINVAL, "nr_range");
    pgmap.nr_range = 1;
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER;
    check_rule(pgmap, 0, "");
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    check_rule(pgmap, -EINVAL, "vmemmap_shift");
    rig_unplug(memory);
}

/* An altmap is for one range; its own errors are altmap_test's. */
TEST_CASE(memremap, one_broken_rule_of_several_ranges)
{
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 128 * RIG_MB), rig_range(192 * RIG_MB, 2 * RIG_MB)};

    for (unsigned nr = 1; nr <= 2; nr++) {
        struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, nr);

        for (unsigned with_altmap = 0; with_altmap < 2; with_altmap++) {
            int error = nr == 2 && with_altmap != 0 ? -EINVAL : 0;

            many.pgmap.flags = with_altmap != 0 ? PGMAP_ALTMAP_VALID : 0;
            many.pgmap.altmap = (struct vmem_altmap){.reserve = 2, .free = 1022};
            (void)pagemap_set_warn_fn(note_text);
            said[0] = 0;
            CHECK_EQ(rig_map(&many.pgmap), error, "%u ranges, altmap %u", nr, with_altmap);
            CHECK_STR_EQ(said, error == 0 ? ""
                                          : "memremap_pages(): range 1, 0xc000000-0xc1fffff, altmap not "
                                            "supported for multiple ranges");
            (void)pagemap_set_warn_fn(NULL);
            if (error == 0) {
                memunmap_pages(&many.pgmap);
            }
        }
    }
    rig_unplug(memory);
}

/* The errors of a range, each on both sides of its boundary. */
static void check_range(uint64_t start, uint64_t end, unsigned shift, int error, const char *reason)
{
    struct range range = {start, end};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    pgmap.vmemmap_shift = shift;
    check_rule(pgmap, error, reason);
}

TEST_CASE(memremap, one_broken_rule_of_the_range)
{
    const uint64_t step = SUBSECTION_SIZE, top = PHYSMEM_END + 1 - 64 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(RIG_GB, 64 * RIG_MB), *highest = rig_plug(top, 64 * RIG_MB);
    struct resource ram = {RIG_GB + 16 * RIG_MB,
                           RIG_GB + 18 * RIG_MB - 1,
                           "System RAM",
                           IORESOURCE_SYSTEM_RAM,
                           0,
                           NULL,
                           NULL,
                           NULL};

    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    check_range(RIG_GB, RIG_GB + step - 1, 0, 0, "");
    check_range(RIG_GB + step, RIG_GB + 3 * step - 1, 0, 0, "");
    check_range(RIG_GB + PAGE_SIZE, RIG_GB + PAGE_SIZE + step - 1, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + step - 1 + PAGE_SIZE, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + step, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB - 1, 0, -EINVAL, "ends before it starts");
    check_range(3 * RIG_GB, 2 * RIG_GB - 1, 0, -EINVAL, "ends before it starts");
    check_range(0, UINT64_MAX, 0, -EINVAL, "is all there is");
    check_range(RIG_GB, RIG_GB, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + 2 * step - 1, 10, 0, "");
    check_range(RIG_GB + step, RIG_GB + 3 * step - 1, 10, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + 3 * step - 1, 10, -EINVAL, "misaligned");
    check_range(ram.start - step, ram.start - 1, 0, 0, "");
    check_range(ram.start - step, ram.start + step - 1, 0, -ENXIO, "System RAM");
    check_range(ram.end + 1, ram.end + step, 0, 0, "");
    check_range(ram.end + 1 - step, ram.end + step, 0, -ENXIO, "System RAM");
    check_range(RIG_GB + 62 * RIG_MB, RIG_GB + 64 * RIG_MB - 1, 0, 0, "");
    check_range(RIG_GB + 62 * RIG_MB, RIG_GB + 66 * RIG_MB - 1, 0, -ENXIO, "no memory");
    check_range(RIG_GB - 2 * RIG_MB, RIG_GB + 2 * RIG_MB - 1, 0, -ENXIO, "no memory");
    check_range(top, PHYSMEM_END, 0, 0, "");
    check_range(top, PHYSMEM_END + step, 0, -ERANGE, "PHYSMEM_END");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
    rig_unplug(highest);
}
