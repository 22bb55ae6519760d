// SPDX-License-Identifier: BSD-2-Clause
/*
 * Client sequence J. Readers get and put pagemaps and pages of random pfns, while drivers map, unmap, fail at
 * random steps, kill, resurrect and come back. Checked throughout:
 *
 *   - a hit covers its pfn, and is one that its driver has mapped: its magic is there until unmap has returned
 *   - a page that was got keeps its bytes: the word written to it is there when it is put
 *   - when memunmap_pages() has returned, no get finds the driver's pagemap
 *   - in the end nothing is in use: memory unplugs, altmaps are empty, no warning was given
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "pagemap/base/fault.h"
#include "test/pagemap/rig.h"
#include "test/shim/prng.h"

enum { DRIVERS = 2, READERS = 3, SLOT_MB = 16, CYCLES = 150, MAGIC = 0x600d };

struct driver {
    struct dev_pagemap pgmap;
    struct range ranges[2];
    uint64_t magic; /* MAGIC while get may find pgmap */
    uint64_t mapped, failed;
    struct prng prng;
};

static struct driver drivers[DRIVERS];
static uint64_t stop, hits, page_hits;

static uint64_t loaded(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void add(uint64_t *word, uint64_t n)
{
    (void)__atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

static struct driver *driver_of(struct dev_pagemap *pgmap)
{
    return (struct driver *)(void *)pgmap; /* its first member */
}

static bool covers(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    for (unsigned i = 0; i < pgmap->nr_range; i++) {
        if (pgmap->ranges[i].start <= PFN_PHYS(pfn) && PFN_PHYS(pfn) <= pgmap->ranges[i].end) {
            return true;
        }
    }
    return false;
}

static void visit_pagemap(uint64_t pfn)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

    if (pgmap != NULL) {
        add(&hits, 1);
        CHECK_EQ(loaded(&driver_of(pgmap)->magic), MAGIC);
        CHECK(covers(pgmap, pfn));
        pgmap = get_dev_pagemap(pfn ^ 512, pgmap);
        put_dev_pagemap(pgmap);
    }
}

/* Others may have the same page: each adds its bit, and a bit that was set stays until it is taken away. */
static void visit_page(uint64_t pfn, uint64_t bit)
{
    struct page *page = pagemap_get_page(pfn);
    uint64_t *word;

    if (page == NULL) {
        return;
    }
    add(&page_hits, 1);
    CHECK(pgmap_pfn_valid(page_pgmap(page), pfn));
    CHECK_EQ(loaded(&driver_of(page_pgmap(page))->magic), MAGIC);
    word = page_address(page);
    (void)__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
    (void)sched_yield();
    CHECK_NE(__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit, 0);
    put_page(page);
}

static void *read_randomly(void *context)
{
    uint64_t number = (uint64_t)(uintptr_t)context;
    struct prng prng = prng_stream(test_seed(), number);
    const uint64_t pfns = DRIVERS * SLOT_MB * RIG_MB / PAGE_SIZE;

    while (!loaded(&stop)) {
        uint64_t pfn = prng_below(&prng, pfns);

        if (prng_below(&prng, 2) == 0) {
            visit_pagemap(pfn);
        } else {
            visit_page(pfn, UINT64_C(1) << number);
        }
    }
    return NULL;
}

/* One or two ranges of the driver's slot, with an altmap or not, of any type but PRIVATE (which has no bytes). */
static void configure(struct driver *driver, uint64_t base)
{
    static const enum memory_type types[] = {MEMORY_DEVICE_FS_DAX, MEMORY_DEVICE_GENERIC,
                                             MEMORY_DEVICE_PCI_P2PDMA};
    uint64_t split = 2 * RIG_MB * prng_between(&driver->prng, 1, SLOT_MB / 2 - 2);

    driver->pgmap = rig_pgmap(types[prng_below(&driver->prng, 3)], driver->ranges, 1);
    driver->ranges[0] = rig_range(base, split);
    driver->ranges[1] = rig_range(base + split + 2 * RIG_MB, SLOT_MB * RIG_MB - split - 2 * RIG_MB);
    if (prng_below(&driver->prng, 2) == 0) {
        driver->pgmap.nr_range = 2;
    } else {
        driver->pgmap.flags = PGMAP_ALTMAP_VALID;
        driver->pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(base), .reserve = 1, .free = 127};
    }
    driver->pgmap.vmemmap_shift = (unsigned)prng_below(&driver->prng, 2) * 9;
}

static void cycle(struct driver *driver, uint64_t base)
{
    int error;

    configure(driver, base);
    (void)__atomic_exchange_n(&driver->magic, MAGIC, __ATOMIC_SEQ_CST);
    (void)pm_fault_arm((unsigned)prng_below(&driver->prng, 24)); /* 0, and beyond the last step: none fails */
    error = rig_map(&driver->pgmap);
    (void)pm_fault_arm(0);
    if (error == 0) {
        driver->mapped++;
        CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
        for (uint64_t i = prng_below(&driver->prng, 50); i > 0; i--) {
            (void)sched_yield();
        }
        if (prng_below(&driver->prng, 2) == 0) {
            CHECK_EQ(kill_dev_pagemap(&driver->pgmap), 0);
            CHECK(rig_finds(PHYS_PFN(base), NULL));
            if (prng_below(&driver->prng, 2) == 0) { /* called off, whatever is still held */
                CHECK_EQ(resurrect_dev_pagemap(&driver->pgmap), 0);
                CHECK(rig_finds(PHYS_PFN(base), &driver->pgmap));
            }
        }
        memunmap_pages(&driver->pgmap);
    } else {
        driver->failed++;
        CHECK_EQ(error, -ENOMEM);
    }
    (void)__atomic_exchange_n(&driver->magic, 0, __ATOMIC_SEQ_CST);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    CHECK_EQ(driver->pgmap.altmap.alloc, 0);
}

static void *drive(void *context)
{
    struct driver *driver = context;
    uint64_t number = (uint64_t)(driver - drivers);

    driver->prng = prng_stream(test_seed(), 100 + number);
    for (unsigned i = 0; i < CYCLES * test_scale(); i++) {
        cycle(driver, number * SLOT_MB * RIG_MB);
    }
    return NULL;
}

TEST_CASE(stress, client_j_torture)
{
    struct pagemap_memory *memory = rig_plug(0, DRIVERS * SLOT_MB * RIG_MB);
    pthread_t reader[READERS], driver[DRIVERS];

    warnings_count();
    for (unsigned i = 0; i < READERS; i++) {
        REQUIRE_EQ(pthread_create(&reader[i], NULL, read_randomly, (void *)(uintptr_t)i), 0);
    }
    for (unsigned i = 0; i < DRIVERS; i++) {
        REQUIRE_EQ(pthread_create(&driver[i], NULL, drive, &drivers[i]), 0);
    }
    for (unsigned i = 0; i < DRIVERS; i++) {
        (void)pthread_join(driver[i], NULL);
        CHECK_GT(drivers[i].mapped, 0);
        CHECK_GT(drivers[i].failed, 0);
    }
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(reader[i], NULL);
    }
    CHECK_GT(hits, 0);
    CHECK_GT(page_hits, 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}
