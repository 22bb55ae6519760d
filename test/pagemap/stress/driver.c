// SPDX-License-Identifier: BSD-2-Clause
/* What a driver does with its device. */
#include <errno.h>
#include <sched.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/stress/hardware.h"
#include "test/pagemap/stress/world.h"

struct driver drivers[DRIVERS];

/* One or two ranges of the driver's slot, with an altmap or not, of any type but PRIVATE (which has no bytes). */
static void configure(struct driver *driver, uint64_t base)
{
    static const enum memory_type types[] = {MEMORY_DEVICE_FS_DAX, MEMORY_DEVICE_GENERIC,
                                             MEMORY_DEVICE_PCI_P2PDMA};
    uint64_t split = 2 * RIG_MB * prng_between(&driver->prng, 1, SLOT_MB / 2 - 2);

    struct range first = rig_range(base, split);

    driver->pgmap = rig_pgmap(types[prng_below(&driver->prng, 3)], &first, 1);
    driver->second = rig_range(base + split + 2 * RIG_MB, SLOT_MB * RIG_MB - split - 2 * RIG_MB);
    if (prng_below(&driver->prng, 2) == 0) {
        driver->pgmap.nr_range = 2;
    } else {
        driver->pgmap.flags = PGMAP_ALTMAP_VALID;
        driver->pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(base), .reserve = 1, .free = 127};
    }
    driver->pgmap.vmemmap_shift = (unsigned)prng_below(&driver->prng, 2) * 9;
}

static void kill_and_perhaps_resurrect(struct driver *driver, uint64_t base)
{
    int error = kill_dev_pagemap(&driver->pgmap);

    if (error != 0) {
        CHECK(error == -EPERM && loaded(&forbidden) != 0, "%d", error);
        return;
    }
    store(&driver->is_dead, 1);
    hardware_check(driver);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    if (prng_below(&driver->prng, 2) == 0) { /* called off, whatever is still held */
        store(&driver->is_dead, 0);
        CHECK_EQ(resurrect_dev_pagemap(&driver->pgmap), 0);
        CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
    }
}

/* At once, or in pieces of time. False: it cannot be done any more. */
static bool take_down(struct driver *driver)
{
    int error = -ETIMEDOUT;

    while (error == -ETIMEDOUT) {
        error = prng_below(&driver->prng, 2) == 0
                    ? memunmap_pages(&driver->pgmap)
                    : memunmap_pages_timeout(&driver->pgmap, (unsigned)prng_below(&driver->prng, 2));
    }
    CHECK(error == 0 || (error == -EPERM && loaded(&forbidden) != 0), "%d", error);
    return error == 0;
}

/* False: the driver can't go on. */
static bool cycle(struct driver *driver, uint64_t base)
{
    int error;

    configure(driver, base);
    store(&driver->is_dead, 0);
    store(&driver->magic, MAGIC);
    arm(driver, 24); /* 0, and beyond the last step: none fails */
    error = rig_map(&driver->pgmap);
    (void)pm_fault_arm(0);
    if (error == 0) {
        driver->mapped++;
        CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
        fill_file(driver, base);
        hardware_await(driver);
        for (uint64_t i = prng_below(&driver->prng, 50); i > 0; i--) {
            if (i % 4 == 0) {
                change_views(driver);
            }
            (void)sched_yield();
        }
        if (prng_below(&driver->prng, 2) == 0) {
            empty_file(driver); /* before the kill, or after it */
        }
        if (prng_below(&driver->prng, 2) == 0) {
            kill_and_perhaps_resurrect(driver, base);
        }
        empty_file(driver);
        if (!take_down(driver)) {
            return false;
        }
    } else {
        driver->failed++;
        CHECK_EQ(error, -ENOMEM);
    }
    store(&driver->magic, 0);
    hardware_check(driver);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    CHECK_EQ(driver->pgmap.altmap.alloc, 0);
    return true;
}

void set_up_driver(unsigned number)
{
    drivers[number].prng = prng_stream(test_seed(), 100 + number);
    REQUIRE_EQ(address_space_init(&drivers[number].file, "stress", NULL), 0);
}

void *drive(void *context)
{
    struct driver *driver = context;
    uint64_t number = (uint64_t)(driver - drivers);
    bool is_whole = true;
    int error;

    take_signals();
    for (unsigned i = 0; i < CYCLES * test_scale() && is_whole; i++) {
        is_whole = cycle(driver, number * SLOT_MB * RIG_MB);
        add(&driver->cycles, 1);
    }
    store(&driver->cycles, UINT64_MAX);
    for (unsigned v = 0; v < VIEWS; v++) {
        unmap_view(driver, v);
    }
    hardware_stop(driver);
    error = address_space_destroy(&driver->file);
    CHECK(error == 0 || (error == -EPERM && loaded(&forbidden) != 0), "%d", error);
    return NULL;
}
