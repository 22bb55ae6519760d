// SPDX-License-Identifier: BSD-2-Clause
#include "test/cost/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "rangemap/base/fence.h"
#include "test/check/guests.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__SANITIZE_UNDEFINED__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12 && defined(__OPTIMIZE__)
#if __GNUC_MINOR__ == 2 && !defined(NDEBUG) /* as the tests are built by default */
enum { PERCENT = 100, PERCENT_FENCED = 101 };
#else
enum { PERCENT = 101, PERCENT_FENCED = 101 };
#endif
#else
enum { PERCENT = 190, PERCENT_FENCED = 190 };
#endif

/* In place of libc's: time goes by a thousand times faster where each instruction traps. */
static struct timespec now = {1000, 0};

int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    *time = now;
    return 0;
}

void trial_tick(void)
{
    now.tv_sec++;
}

static void ignore_value(void *value, void *context)
{
    (void)value, (void)context;
}

struct rangemap *trial_map(struct rangemap_domain *domain, enum trial_map kind)
{
    const struct rangemap_options options = {.domain = domain,
                                             .track_gaps = kind == TRIAL_TRACKS_GAPS,
                                             .release = kind >= TRIAL_RELEASES ? ignore_value : NULL,
                                             .retain = kind == TRIAL_OWNS ? ignore_value : NULL};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

void trial_run(void *context)
{
    struct trial *trial = context;

    for (unsigned i = 0; i < trial->calls; i++) {
        trial->call(trial, prng_mix(i) % trial->ranges * 10);
    }
}

void trial_begin(void)
{
    if (SANITIZED || !instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_select_kernel("portable"), 0);
}

static void check_budget(const char *what, uint64_t count, uint64_t budget)
{
    unsigned percent = rm_fence_is_asymmetric() ? PERCENT : PERCENT_FENCED;

    printf("%s: %" PRIu64 " instructions of %" PRIu64 "\n", what, count, budget);
    CHECK_LE(count, budget * percent / 100, "%s", what);
}

static void check_cost(const struct cost *cost, unsigned calls)
{
    struct trial trial = {.ranges = cost->ranges, .calls = calls, .call = cost->call};
    char what[64];

    REQUIRE_EQ(rangemap_domain_create(NULL, &trial.domain), 0);
    trial.map = trial_map(trial.domain, cost->kind);
    for (uint64_t i = 0; i < cost->ranges; i++) {
        REQUIRE_EQ(rangemap_insert(trial.map, i * 10, i * 10 + 5, NULL, NULL), 0);
    }
    trial_run(&trial); /* what is done once only */
    snprintf(what, sizeof what, "%s, %" PRIu64 " ranges", cost->what, cost->ranges);
    check_budget(what, instructions_of(trial_run, &trial) / trial.calls, cost->budget);
    CHECK_EQ(rangemap_destroy(trial.map), 0);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}

void check_cost_beside(const char *what, struct trial *trial, unsigned threads, uint64_t budget)
{
    struct guests others;

    guests_come(&others, trial->domain, threads);
    trial_run(trial);
    check_budget(what, instructions_of(trial_run, trial) / trial->calls, budget);
    guests_leave(&others);
}

void check_costs(const struct cost *costs, size_t count, unsigned calls)
{
    trial_begin();
    for (size_t i = 0; i < count; i++) {
        check_cost(&costs[i], calls);
    }
}
