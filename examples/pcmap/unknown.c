// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/unknown.h"

#include <stdbool.h>
#include <string.h>

enum { SLOTS = 4096, PROBES = 64 };

#define PAGE UINT64_C(4096)

/* A table that only grows. */
static struct {
    uint64_t page; /* 0: free; written once, by compare-and-swap */
    uint64_t samples;
} slots[SLOTS];

static uint64_t crowded_out; /* samples whose page found no slot */

void unknown_count(uint64_t pc, uint64_t samples)
{
    uint64_t page = pc / PAGE, hash = page * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    for (uint64_t probe = 0; probe < PROBES; probe++) {
        uint64_t at = (hash + probe) % SLOTS, found = __atomic_load_n(&slots[at].page, __ATOMIC_RELAXED);

        if (found == page ||
            (found == 0 && __atomic_compare_exchange_n(&slots[at].page, &found, page, false, __ATOMIC_RELAXED,
                                                       __ATOMIC_RELAXED)) ||
            found == page) {
            (void)__atomic_fetch_add(&slots[at].samples, samples, __ATOMIC_RELAXED);
            return;
        }
    }
    (void)__atomic_fetch_add(&crowded_out, samples, __ATOMIC_RELAXED);
}

size_t unknown_places(void)
{
    size_t places = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        places += __atomic_load_n(&slots[i].page, __ATOMIC_RELAXED) != 0;
    }
    return places;
}

/* The samples in [start, last]. */
static uint64_t samples_in(uint64_t start, uint64_t last)
{
    uint64_t samples = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t page = __atomic_load_n(&slots[i].page, __ATOMIC_RELAXED);

        if (page != 0 && page >= start / PAGE && page <= last / PAGE) {
            samples += __atomic_load_n(&slots[i].samples, __ATOMIC_RELAXED);
        }
    }
    return samples;
}

void unknown_explain(struct kernel_maps *maps, void (*add)(const char *memory, uint64_t samples))
{
    uint64_t rest = samples_in(0, UINT64_MAX), more = __atomic_load_n(&crowded_out, __ATOMIC_RELAXED);
    struct kernel_range range;

    if (maps != NULL && rest > 0) {
        kernel_maps_open(maps);
        while (kernel_maps_next(maps, &range)) {
            uint64_t samples = samples_in(range.start, range.last);

            samples = samples < rest ? samples : rest; /* others count on meanwhile */
            rest -= samples;
            if (samples > 0) {
                add(*range.name != '\0' ? range.name : "anonymous memory", samples);
            }
        }
        (void)kernel_maps_close(maps);
    }
    add(maps != NULL ? "memory that was unmapped later" : "memory that cannot be looked up", rest);
    add("more places than there is room for", more);
}

void unknown_forget(void)
{
    memset(slots, 0, sizeof slots);
    crowded_out = 0;
}
