// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/unknown.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The samples in [start, end), each of which is taken once. */
static uint64_t take(uint64_t start, uint64_t end)
{
    uint64_t samples = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].page >= start / PAGE && slots[i].page < end / PAGE) {
            samples += __atomic_exchange_n(&slots[i].samples, 0, __ATOMIC_RELAXED);
        }
    }
    return samples;
}

static void explain_line(const char *line, void (*add)(const char *memory, uint64_t samples))
{
    uint64_t start, end, samples;
    char memory[512];
    int name = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &name) != 2) {
        return;
    }
    samples = take(start, end);
    if (samples > 0) {
        (void)snprintf(memory, sizeof memory, "%s",
                       name > 0 && line[name] != '\0' ? line + name : "anonymous memory");
        add(memory, samples);
    }
}

void unknown_explain(void (*add)(const char *memory, uint64_t samples))
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t bytes = 0;

    while (maps != NULL && getline(&line, &bytes, maps) > 0) {
        line[strcspn(line, "\n")] = '\0';
        explain_line(line, add);
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    free(line);
    add("memory that was unmapped later", take(0, UINT64_MAX));
    add("more places than there is room for", __atomic_exchange_n(&crowded_out, 0, __ATOMIC_RELAXED));
}

void unknown_forget(void)
{
    memset(slots, 0, sizeof slots);
    crowded_out = 0;
}
