// SPDX-License-Identifier: BSD-2-Clause
/* Client sequence G: kmem gives the memory of a device to the system as RAM. Kernel: drivers/dax/kmem.c (6.1). */
#include <errno.h>
#include <string.h>

#include "test/pagemap/rig.h"

/* G: kmem. RAM may not be mapped again, also where it is nested below a window (bug 39). */
TEST_CASE(clients, g_kmem)
{
    struct resource window = {RIG_GB, 3 * RIG_GB - 1, "CXL Window 0", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource ram = {RIG_GB, 2 * RIG_GB - 1, "System RAM (kmem)", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL,
                           NULL};
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_GB);
    struct range range = rig_range(RIG_GB + 4 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    CHECK_EQ(rig_map(&pgmap), -ENXIO);
    pgmap.range = rig_range(2 * RIG_GB - 2 * RIG_MB, 4 * RIG_MB);
    CHECK_EQ(rig_map(&pgmap), -ENXIO, "half of it");
    CHECK(rig_finds(PHYS_PFN(pgmap.range.end), NULL));
    pgmap.range = rig_range(2 * RIG_GB, 4 * RIG_MB);
    REQUIRE_EQ(rig_map(&pgmap), 0, "the part of the window that is no RAM");
    memunmap_pages(&pgmap);
    CHECK_EQ(release_resource(&ram), 0);
    CHECK_EQ(release_resource(&window), 0);
    rig_unplug(memory);
}

/* ---- the driver ---- */

enum { RANGES = 3 };

/* RAM comes and goes in whole blocks of this size. */
static const uint64_t BLOCK = 128 * RIG_MB;

struct kmem {
    int node;
    struct range ranges[RANGES];
    struct resource *regions[RANGES];
    bool in_use[RANGES]; /* somebody has pages of this RAM: it cannot be taken offline */
};

/* The whole blocks of it; false: there is none. */
static bool whole_blocks(const struct range *range, struct range *blocks)
{
    uint64_t start = (range->start + BLOCK - 1) / BLOCK * BLOCK, end = (range->end + 1) / BLOCK * BLOCK;

    *blocks = (struct range){start, end - 1};
    return start < end;
}

static int add_memory(struct kmem *kmem, unsigned i, const struct range *blocks)
{
    kmem->regions[i] = request_mem_region(blocks->start, range_len(blocks), "dax0.0");
    if (kmem->regions[i] == NULL) {
        return -EBUSY;
    }
    kmem->regions[i]->flags = IORESOURCE_SYSTEM_RAM; /* not busy: the RAM is requested inside it */
    return request_mem_region(blocks->start, range_len(blocks), "System RAM (kmem)") != NULL ? 0 : -EBUSY;
}

/* 0 if there is something to give; what is too small is skipped, and what is taken too, but not at first. */
static int kmem_probe(struct kmem *kmem)
{
    struct range blocks;
    unsigned usable = 0, added = 0;

    for (unsigned i = 0; i < RANGES; i++) {
        usable += whole_blocks(&kmem->ranges[i], &blocks);
    }
    if (kmem->node < 0 || usable == 0) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < RANGES; i++) {
        if (!whole_blocks(&kmem->ranges[i], &blocks)) {
            continue;
        }
        if (add_memory(kmem, i, &blocks) == 0) {
            added++;
        } else if (added == 0) {
            return -EBUSY;
        }
    }
    return 0;
}

/* How many ranges stay: RAM that is in use, and its region. */
static unsigned kmem_remove(struct kmem *kmem)
{
    unsigned left = 0;

    for (unsigned i = 0; i < RANGES; i++) {
        struct resource *region = kmem->regions[i];

        if (region == NULL) {
            continue;
        }
        if (kmem->in_use[i]) {
            left++;
            continue;
        }
        release_mem_region(region->start, resource_size(region)); /* the RAM, */
        region->flags |= IORESOURCE_BUSY;
        release_mem_region(region->start, resource_size(region)); /* and what it was in */
        kmem->regions[i] = NULL;
    }
    return left;
}

static struct kmem new_kmem(void)
{
    struct kmem kmem = {.node = 0};

    kmem.ranges[0] = rig_range(RIG_GB - RIG_MB, BLOCK + 2 * RIG_MB);         /* one block */
    kmem.ranges[1] = rig_range(2 * RIG_GB + RIG_MB, 2 * BLOCK - 2 * RIG_MB); /* none */
    kmem.ranges[2] = rig_range(3 * RIG_GB, 2 * BLOCK);
    return kmem;
}

TEST_CASE(clients, g_kmem_is_refused_as_a_whole)
{
    struct kmem kmem = new_kmem();
    struct resource *other;

    kmem.node = -1;
    CHECK_EQ(kmem_probe(&kmem), -EINVAL, "no node");
    kmem.node = 0;
    kmem.ranges[0] = kmem.ranges[2] = kmem.ranges[1];
    CHECK_EQ(kmem_probe(&kmem), -EINVAL, "too small after aligning, all of them");
    CHECK_EQ(iomem_resource.child, NULL);
    kmem = new_kmem();
    other = request_mem_region(RIG_GB + BLOCK - 1, 1, "somebody else's last byte");
    REQUIRE_NE(other, NULL);
    CHECK_EQ(kmem_probe(&kmem), -EBUSY);
    CHECK_EQ(iomem_resource.child, other, "and nothing more");
    release_mem_region(other->start, 1);
}

TEST_CASE(clients, g_kmem_keeps_what_is_in_use)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 3 * RIG_GB);
    struct kmem kmem = new_kmem();

    warnings_count();
    REQUIRE_EQ(kmem_probe(&kmem), 0);
    CHECK_EQ(rig_try_map(RIG_GB, RIG_GB + BLOCK - 1), -ENXIO, "RAM");
    CHECK_EQ(rig_try_map(3 * RIG_GB + BLOCK, 3 * RIG_GB + 2 * BLOCK - 1), -ENXIO);
    CHECK_EQ(rig_try_map(RIG_GB + BLOCK - 2 * RIG_MB, RIG_GB + BLOCK + 2 * RIG_MB - 1), -ENXIO, "half of it");
    CHECK_EQ(rig_try_map(2 * RIG_GB + 2 * RIG_MB, 2 * RIG_GB + 2 * BLOCK - 2 * RIG_MB - 1), 0,
             "what was too small is nobody's RAM");
    kmem.in_use[0] = true;
    CHECK_EQ(kmem_remove(&kmem), 1);
    CHECK_EQ(request_mem_region(RIG_GB, RIG_MB, "early"), NULL, "the region stays reserved, driver or not");
    CHECK_EQ(rig_try_map(RIG_GB, RIG_GB + BLOCK - 1), -ENXIO);
    CHECK_EQ(rig_try_map(3 * RIG_GB, 3 * RIG_GB + 2 * BLOCK - 1), 0, "the rest went");
    kmem.in_use[0] = false;
    CHECK_EQ(kmem_remove(&kmem), 0);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(rig_try_map(RIG_GB, RIG_GB + BLOCK - 1), 0);
    CHECK_EQ(warnings_take(), 4, "the refusals");
    rig_unplug(memory);
}
