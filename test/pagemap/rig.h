// SPDX-License-Identifier: BSD-2-Clause
/* Memory to map, and the dev_pagemaps of each type that the tests map it with. */
#ifndef PAGEMAP_TEST_RIG_H
#define PAGEMAP_TEST_RIG_H

#include <sched.h>
#include <stdint.h>

#include "pagemap/pagemap.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"

#define RIG_MB (UINT64_C(1) << 20)
#define RIG_GB (UINT64_C(1) << 30)

static const enum memory_type RIG_TYPES[] = {MEMORY_DEVICE_PRIVATE, MEMORY_DEVICE_COHERENT,
                                             MEMORY_DEVICE_FS_DAX, MEMORY_DEVICE_GENERIC,
                                             MEMORY_DEVICE_PCI_P2PDMA};
enum { RIG_NR_TYPES = sizeof RIG_TYPES / sizeof *RIG_TYPES };

static uint64_t rig_freed;

static inline void rig_page_free(struct page *page)
{
    (void)page;
    (void)__atomic_fetch_add(&rig_freed, 1, __ATOMIC_SEQ_CST);
}

static inline vm_fault_t rig_migrate_to_ram(struct vm_fault *vmf)
{
    (void)vmf;
    return 0;
}

static const struct dev_pagemap_ops rig_ops = {rig_page_free, rig_migrate_to_ram, NULL, NULL};
static char rig_owner;

/* A dev_pagemap of `type` over a copy of *range, with all that any type needs. */
static inline struct dev_pagemap rig_pgmap(enum memory_type type, const struct range *range, unsigned nr)
{
    struct dev_pagemap pgmap = {.type = type, .nr_range = nr, .range = *range, .owner = &rig_owner};

    pgmap.ops = &rig_ops;
    return pgmap;
}

/* One of up to three ranges, which a driver would allocate. */
struct rig_many {
    struct dev_pagemap pgmap;
    struct range more[2];
};

/* What stands in a dev_pagemap from its second range on. */
static inline struct rig_many rig_many(enum memory_type type, const struct range *ranges, unsigned nr)
{
    struct rig_many many = {.pgmap = rig_pgmap(type, ranges, nr)};

    for (unsigned i = 1; i < nr; i++) {
        many.more[i - 1] = ranges[i];
    }
    return many;
}

static inline struct range rig_range(uint64_t start, uint64_t bytes)
{
    struct range range = {start, start + (bytes - 1)};

    return range;
}

/* Plugs memory of `bytes` bytes in at `start`. */
static inline struct pagemap_memory *rig_plug(uint64_t start, uint64_t bytes)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = bytes};
    struct pagemap_memory *memory = NULL;

    REQUIRE_EQ(pagemap_memory_create(&options, &memory), 0);
    REQUIRE_EQ(pagemap_memory_plug(memory, start), 0);
    return memory;
}

static inline void rig_unplug(struct pagemap_memory *memory)
{
    CHECK_EQ(pagemap_memory_unplug(memory), 0, "nothing uses it any more");
    CHECK_EQ(pagemap_memory_destroy(memory), 0);
    pagemap_barrier(); /* what is deferred is no leak */
}

/* What memremap_pages() said: 0 or a negative errno. */
static inline int rig_map(struct dev_pagemap *pgmap)
{
    void *linear = memremap_pages(pgmap, -1);

    return IS_ERR(linear) ? (int)PTR_ERR(linear) : 0;
}

/* What memremap_pages() says to [start, end] as a GENERIC device, which does not stay. */
static inline int rig_try_map(uint64_t start, uint64_t end)
{
    struct range range = {start, end};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    int error = rig_map(&pgmap);

    if (error == 0) {
        memunmap_pages(&pgmap);
    }
    return error;
}

/* Whether a get of pfn returns exactly `pgmap` (NULL: nothing). */
static inline bool rig_finds(uint64_t pfn, struct dev_pagemap *pgmap)
{
    struct dev_pagemap *found = get_dev_pagemap(pfn, NULL);

    put_dev_pagemap(found);
    return found == pgmap;
}

/* Until another thread has killed what is mapped at pfn; it may have no other processor for that than this one. */
static inline void rig_await_kill(uint64_t pfn)
{
    while (!rig_finds(pfn, NULL)) {
        (void)sched_yield();
    }
}

#endif
