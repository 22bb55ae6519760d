// SPDX-License-Identifier: BSD-2-Clause
/*
 * What calls cost, in instructions and in nodes, beside a budget: what they do is right also if they do it twice. The
 * budgets are those of gcc 12 and -O2 and the portable kernel, and some per cent; other builds have twice as much.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "rangemap/base/fence.h"
#include "rangemap/epoch/light.h"
#include "rangemap/rangemap.h"
#include "test/check/guests.h"
#include "test/check/instructions.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__SANITIZE_UNDEFINED__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12 && defined(__OPTIMIZE__)
enum { ALLOWANCE_PERCENT = 106 };
#else
enum { ALLOWANCE_PERCENT = 200 };
#endif

/*
 * The library's clock, in place of libc's: it stands still, but for who moves it. What an update does depends on it,
 * and time goes by a thousand times faster where each instruction traps.
 */
static struct timespec now = {1000, 0};

int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    *time = now;
    return 0;
}

static void tick(void)
{
    now.tv_sec++;
}

static struct rangemap *new_map(struct rangemap_domain *domain)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

/* Calls to be counted: `call` so often, on a map of so many ranges. */
struct trial {
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t ranges;
    unsigned calls;
    void (*call)(struct trial *trial, uint64_t key);
};

static void run_trial(void *context)
{
    struct trial *trial = context;

    for (unsigned i = 0; i < trial->calls; i++) {
        trial->call(trial, prng_mix(i) % trial->ranges * 10);
    }
}

static void look_up(struct trial *trial, uint64_t key)
{
    (void)rangemap_lookup(trial->map, key, NULL);
}

static void store(struct trial *trial, uint64_t key)
{
    (void)rangemap_store(trial->map, key, key + 5, NULL, NULL, NULL);
}

static void carve_and_insert(struct trial *trial, uint64_t key)
{
    (void)rangemap_carve(trial->map, key, key + 5, NULL, NULL);
    (void)rangemap_insert(trial->map, key, key + 5, NULL, NULL);
}

static void next(struct trial *trial, uint64_t key)
{
    struct rangemap_entry entry;

    (void)rangemap_next(trial->map, key, &entry);
}

static void poll(struct trial *trial, uint64_t key)
{
    (void)key;
    (void)rangemap_domain_poll(trial->domain);
}

/* Per call, on the average. */
static void check_cost(const char *what, uint64_t ranges, void (*call)(struct trial *, uint64_t),
                       uint64_t budget)
{
    struct trial trial = {.ranges = ranges, .calls = 40, .call = call};
    uint64_t count;

    if (SANITIZED || !instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_select_kernel("portable"), 0);
    REQUIRE_EQ(rangemap_domain_create(NULL, &trial.domain), 0);
    trial.map = new_map(trial.domain);
    for (uint64_t i = 0; i < ranges; i++) {
        REQUIRE_EQ(rangemap_insert(trial.map, i * 10, i * 10 + 5, NULL, NULL), 0);
    }
    run_trial(&trial); /* what is done once only */
    count = instructions_of(run_trial, &trial) / trial.calls;
    printf("%s, %u ranges: %u instructions\n", what, (unsigned)ranges, (unsigned)count);
    CHECK_LE(count, budget * ALLOWANCE_PERCENT / 100, "%s", what);
    CHECK_EQ(rangemap_destroy(trial.map), 0);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}

TEST_CASE(cost, of_lookups)
{
    check_cost("lookup", 5, look_up, 135);
    check_cost("lookup", 20000, look_up, 388);
    check_cost("next", 20000, next, 745);
}

TEST_CASE(cost, of_updates)
{
    check_cost("store", 5, store, 605);
    check_cost("store", 20000, store, 1030);
    check_cost("carve and insert", 20000, carve_and_insert, 1760);
}

TEST_CASE(cost, of_a_poll_with_nothing_to_do)
{
    check_cost("poll", 5, poll, 860);
}

/* Whether threads are still there is the kernel's to say, which is asked once a tick, not at each call. */
enum { OTHERS = 32 };

static void check_cost_beside_others(const char *what, struct trial *trial, uint64_t budget)
{
    struct guests others;
    uint64_t count;

    guests_come(&others, trial->domain, OTHERS);
    run_trial(trial);
    count = instructions_of(run_trial, trial) / trial->calls;
    printf("%s beside %d threads: %u instructions\n", what, OTHERS, (unsigned)count);
    CHECK_LE(count, budget * ALLOWANCE_PERCENT / 100, "%s", what);
    guests_leave(&others);
}

TEST_CASE(cost, of_a_poll_beside_idle_threads)
{
    struct trial trial = {.ranges = 1, .calls = 40, .call = poll};

    if (SANITIZED || !instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_domain_create(NULL, &trial.domain), 0);
    check_cost_beside_others("poll", &trial, 860 + OTHERS * 40);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}

/* It is refused: a section of the caller's own keeps what waits from going. */
TEST_CASE(cost, of_an_update_above_the_hard_limit_beside_idle_threads)
{
    const struct rangemap_domain_options options = {.hard_limit_bytes = 1 << 10};
    struct trial trial = {.ranges = 100, .calls = 40, .call = store};
    int error = 0;

    if (SANITIZED || !instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_select_kernel("portable"), 0);
    REQUIRE_EQ(rangemap_domain_create(&options, &trial.domain), 0);
    trial.map = new_map(trial.domain);
    REQUIRE_EQ(rangemap_read_begin(trial.map), 0);
    for (unsigned i = 0; i < 10000 && error == 0; i++) {
        error = rangemap_store(trial.map, 1, 1, NULL, NULL, NULL);
    }
    REQUIRE_EQ(error, -EBUSY);
    check_cost_beside_others("refused update", &trial, 1450 + OTHERS * 40);
    rangemap_read_end(trial.map);
    CHECK_EQ(rangemap_destroy(trial.map), 0);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}

/* ---- nodes ---- */

static struct rangemap_statistics stats_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics;
}

/* Of 4,096 ranges one in `kept` stays, whichever way the others go: neighbours merge on both sides. */
static void check_merged(unsigned kept, bool downwards)
{
    enum { RANGES = 4096 };
    struct rangemap *map = new_map(NULL);
    struct rangemap_statistics now_left;

    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 10, i * 10 + 5, NULL, NULL), 0);
    }
    for (uint64_t i = 0; i < RANGES; i++) {
        uint64_t at = downwards ? RANGES - 1 - i : i;

        if (at % kept != 0) {
            REQUIRE_EQ(rangemap_erase(map, at * 10, NULL), 0);
        }
    }
    now_left = stats_of(map);
    printf("one in %u left, %s: %u leaves, %u inner nodes for %u ranges\n", kept,
           downwards ? "downwards" : "upwards", (unsigned)now_left.leaves, (unsigned)now_left.inner_nodes,
           (unsigned)now_left.ranges);
    CHECK_EQ(now_left.ranges, (RANGES + kept - 1) / kept);
    CHECK_LE(now_left.leaves, now_left.ranges / 4 + 1, "one in %u left", kept);
    CHECK_LE(now_left.inner_nodes, now_left.leaves / 4 + 2, "one in %u left", kept);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(cost, nodes_merge_whichever_way_ranges_go)
{
    for (unsigned downwards = 0; downwards < 2; downwards++) {
        check_merged(16, downwards != 0);
        check_merged(64, downwards != 0);
        check_merged(1000, downwards != 0);
    }
}

/* ---- light sections ---- */

/* Earned anew at once, their price goes up; if they lasted a tick, down again, within the bounds of epoch/light.c. */
TEST_CASE(cost, price_of_light_sections_follows_their_use)
{
    enum { FENCES_TO_EARN_MIN = 1 << 10, FENCES_TO_EARN_MAX = 1 << 20 };
    struct rangemap_domain *domain = NULL;
    struct rm_thread *thread;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    REQUIRE_EQ(rangemap_domain_attach(domain), 0);
    if (!rm_fence_is_asymmetric()) {
        CHECK_EQ(rangemap_domain_destroy(domain), 0);
        TEST_SKIP("no membarrier(2) here");
    }
    thread = rm_thread_existing(domain);
    CHECK_EQ(thread->account.fences_to_earn, (unsigned)FENCES_TO_EARN_MIN);
    CHECK_EQ(thread->account.fences_until_review, (unsigned)FENCES_TO_EARN_MIN);
    for (unsigned price = 2 * FENCES_TO_EARN_MIN; price < 4 * FENCES_TO_EARN_MAX; price *= 2) {
        rm_light_review(thread);
        CHECK(thread->account.light_since_ns != 0 && thread->account.fences_until_review == 1, "earned");
        rm_light_review(thread);
        CHECK_EQ(thread->account.fences_to_earn, price < FENCES_TO_EARN_MAX ? price : FENCES_TO_EARN_MAX);
        CHECK_EQ(thread->account.fences_until_review, thread->account.fences_to_earn);
        CHECK_EQ(thread->account.light_since_ns, 0u);
    }
    for (unsigned price = FENCES_TO_EARN_MAX / 2; price > FENCES_TO_EARN_MIN / 4; price /= 2) {
        rm_light_review(thread);
        tick();
        rm_light_review(thread);
        CHECK_EQ(thread->account.fences_to_earn, price > FENCES_TO_EARN_MIN ? price : FENCES_TO_EARN_MIN);
        CHECK_EQ(thread->account.fences_until_review, thread->account.fences_to_earn);
    }
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
