// SPDX-License-Identifier: BSD-2-Clause
/* What tests of the kernel's drivers have in common. */
#ifndef PAGEMAP_TEST_KERNEL_RIG_H
#define PAGEMAP_TEST_KERNEL_RIG_H

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "pagemap/compat/user.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/rig.h"

enum { KERNEL_THREADS = 4 };

static inline void kernel_hush(int level, const char *message)
{
    (void)level, (void)message;
}

/* Call it first: messages of drivers go nowhere, and broken rules are counted. */
static inline void kernel_set_up(void)
{
    warnings_count();
    (void)pagemap_compat_set_printk(kernel_hush);
}

/* Runs `body` on so many threads at once, each with its number. */
static inline void kernel_run(void *(*body)(void *number))
{
    pthread_t threads[KERNEL_THREADS];

    for (uintptr_t i = 0; i < KERNEL_THREADS; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    }
    for (unsigned i = 0; i < KERNEL_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/*
 * Calls attempt() with its first step made to fail, then the second, and so on, until all of them go well: those of
 * drivers, or those of the library. Every call but the last must fail, and clean up after itself. How many failed.
 */
static inline unsigned kernel_fail_each_step(bool of_library, int (*attempt)(void))
{
    enum { MOST = 10000 };

    for (unsigned step = 1; step < MOST; step++) {
        unsigned left;
        int error;

        (void)(of_library ? pm_fault_arm(step) : pagemap_compat_fail_after(step));
        error = attempt();
        left = of_library ? pm_fault_arm(0) : pagemap_compat_fail_after(0);
        if (of_library) {
            (void)warnings_take(); /* a teardown that is refused a step says so, and is repeated */
        }
        if (left > 0) {
            CHECK_EQ(error, 0, "step %u, which no call reached", step);
            return step - 1;
        }
    }
    CHECK(false, "steps do not end");
    return MOST;
}

/* Whether nothing of a device is left: no resource, no dev_pagemap, no page. */
static inline bool kernel_is_free(uint64_t start, uint64_t bytes)
{
    return rig_finds(PHYS_PFN(start), NULL) &&
           region_intersects(start, bytes, IORESOURCE_MEM | IORESOURCE_BUSY, IORES_DESC_NONE) ==
               REGION_DISJOINT;
}

#endif
