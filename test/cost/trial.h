// SPDX-License-Identifier: BSD-2-Clause
/*
 * What calls cost, in instructions, beside a budget: what they do is right also if they do it twice. Budgets are exact
 * for gcc 12.2, -O2, the portable kernel and membarrier(2), and nothing that is measured depends on what else goes on;
 * other builds have more. Where a change is meant to cost what it does, test/cost/refresh takes over what the tests
 * print.
 */
#ifndef RANGEMAP_TEST_COST_TRIAL_H
#define RANGEMAP_TEST_COST_TRIAL_H

#include <stddef.h>

#include "rangemap/rangemap.h"
#include "test/check/instructions.h"

/* The library's clock stands still but for this: what an update does depends on it. */
void trial_tick(void);

enum trial_map { TRIAL_PLAIN, TRIAL_TRACKS_GAPS, TRIAL_RELEASES, TRIAL_OWNS };

/* Calls to be counted: `call` so often, on a map of so many ranges, [10 i, 10 i + 5]. */
struct trial {
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t ranges;
    unsigned calls;
    void (*call)(struct trial *trial, uint64_t key);
};

struct rangemap *trial_map(struct rangemap_domain *domain, enum trial_map kind);

/* Of a struct trial: each call with another key, where a range begins. */
void trial_run(void *trial);

/* What a call costs at most, in such a map. */
struct cost {
    const char *what;
    void (*call)(struct trial *trial, uint64_t key);
    uint64_t ranges, budget;
    enum trial_map kind;
};

/* Per call, on the average of so many. Skips where instructions cannot be counted. */
void check_costs(const struct cost *costs, size_t count, unsigned calls);

/* Skips likewise; else the portable kernel is selected. */
void trial_begin(void);

/*
 * Per call of the trial, beside so many threads that are attached and idle: whether they are still there is the
 * kernel's to say, which is asked once a tick, not at each call.
 */
void check_cost_beside(const char *what, struct trial *trial, unsigned threads, uint64_t budget);

#endif
