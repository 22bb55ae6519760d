// SPDX-License-Identifier: BSD-2-Clause
/*
 * What calls cost, in instructions, beside a budget: what they do is right also if they do it twice. The budgets are
 * those of gcc 12 and -O2 and the portable kernel, and some per cent; other builds have twice as much.
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

static struct rangemap *new_map(struct rangemap_domain *domain, bool track_gaps)
{
    const struct rangemap_options options = {.domain = domain, .track_gaps = track_gaps};
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

static void look_up_sixteen(struct trial *trial, uint64_t key)
{
    uint64_t keys[16];
    void *values[16];
    bool hit[16];

    for (unsigned i = 0; i < 16; i++) {
        keys[i] = (key + i * 1230) % (trial->ranges * 10);
    }
    (void)rangemap_lookup_batch(trial->map, keys, 16, values, hit);
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

static void erase_and_insert(struct trial *trial, uint64_t key)
{
    (void)rangemap_erase(trial->map, key, NULL);
    (void)rangemap_insert(trial->map, key, key + 5, NULL, NULL);
}

/* It leaves two parts, which go when the whole is stored again. */
static void cut_and_store(struct trial *trial, uint64_t key)
{
    (void)rangemap_carve(trial->map, key + 2, key + 3, NULL, NULL);
    (void)rangemap_store(trial->map, key, key + 5, NULL, NULL, NULL);
}

static int set_other_value(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                           void **value, void *context)
{
    (void)whole;
    (void)context;
    *value = (void *)((uintptr_t)part->value ^ 1);
    return RANGEMAP_SET;
}

static void update(struct trial *trial, uint64_t key)
{
    (void)rangemap_update(trial->map, key, key + 5, set_other_value, NULL, NULL);
}

/* The two parts that a cut left join again. */
static void cut_and_coalesce(struct trial *trial, uint64_t key)
{
    uint64_t joined;

    (void)rangemap_carve(trial->map, key + 3, key + 5, NULL, NULL);
    (void)rangemap_insert(trial->map, key + 3, key + 5, NULL, NULL);
    (void)rangemap_coalesce(trial->map, key, key + 5, NULL, NULL, &joined);
}

/* The lowest gap of its size from the key on, which is behind the range there. */
static void allocate_and_erase(struct trial *trial, uint64_t key)
{
    const struct rangemap_gap_request request = {.length = 4, .low = key, .high = UINT64_MAX};
    uint64_t start;

    (void)rangemap_gap_allocate(trial->map, &request, NULL, &start);
    (void)rangemap_erase(trial->map, start, NULL);
}

static void next(struct trial *trial, uint64_t key)
{
    struct rangemap_entry entry;

    (void)rangemap_next(trial->map, key, &entry);
}

static void previous(struct trial *trial, uint64_t key)
{
    struct rangemap_entry entry;

    (void)rangemap_previous(trial->map, key, &entry);
}

static void overlap(struct trial *trial, uint64_t key)
{
    struct rangemap_entry entry;

    (void)rangemap_overlap(trial->map, key + 7, key + 30, &entry);
}

static void is_covered(struct trial *trial, uint64_t key)
{
    (void)rangemap_is_covered(trial->map, key + 1, key + 5);
}

static void is_free(struct trial *trial, uint64_t key)
{
    (void)rangemap_is_free(trial->map, key + 6, key + 9);
}

static void go_over_sixteen(struct trial *trial, uint64_t key)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    (void)rangemap_cursor_init(&cursor, trial->map, key, key + 159);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
    }
}

static void find_in_snapshot(struct trial *trial, uint64_t key)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_entry entry;

    if (rangemap_snapshot_begin(trial->map, &snapshot) == 0) {
        (void)rangemap_snapshot_find(&snapshot, key, &entry);
        rangemap_snapshot_end(&snapshot);
    }
}

static void next_gap(struct trial *trial, uint64_t key)
{
    struct rangemap_gap gap;

    (void)rangemap_gap_next(trial->map, key, &gap);
}

static void poll(struct trial *trial, uint64_t key)
{
    (void)key;
    (void)rangemap_domain_poll(trial->domain);
}

/* What a call costs at most, in a map of so many ranges. */
struct cost {
    const char *what;
    void (*call)(struct trial *trial, uint64_t key);
    uint64_t ranges, budget;
    bool track_gaps;
};

/* Per call, on the average. */
static void check_cost(const struct cost *cost)
{
    struct trial trial = {.ranges = cost->ranges, .calls = 16, .call = cost->call};
    uint64_t count;

    REQUIRE_EQ(rangemap_domain_create(NULL, &trial.domain), 0);
    trial.map = new_map(trial.domain, cost->track_gaps);
    for (uint64_t i = 0; i < cost->ranges; i++) {
        REQUIRE_EQ(rangemap_insert(trial.map, i * 10, i * 10 + 5, NULL, NULL), 0);
    }
    run_trial(&trial); /* what is done once only */
    count = instructions_of(run_trial, &trial) / trial.calls;
    printf("%s, %u ranges: %u instructions\n", cost->what, (unsigned)cost->ranges, (unsigned)count);
    CHECK_LE(count, cost->budget * ALLOWANCE_PERCENT / 100, "%s", cost->what);
    CHECK_EQ(rangemap_destroy(trial.map), 0);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}

static void check_costs(const struct cost *costs, size_t count)
{
    if (SANITIZED || !instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_select_kernel("portable"), 0);
    for (size_t i = 0; i < count; i++) {
        check_cost(&costs[i]);
    }
}

TEST_CASE(cost, of_lookups)
{
    static const struct cost costs[] = {
        {"lookup", look_up, 5, 125, false},
        {"lookup", look_up, 20000, 370, false},
        {"batch of 16", look_up_sixteen, 20000, 6025, false},
    };

    check_costs(costs, sizeof costs / sizeof *costs);
}

TEST_CASE(cost, of_queries)
{
    static const struct cost costs[] = {
        {"next", next, 20000, 750, false},
        {"previous", previous, 20000, 645, false},
        {"overlap", overlap, 20000, 705, false},
        {"is covered", is_covered, 20000, 615, false},
        {"is free", is_free, 20000, 625, false},
        {"cursor over 16", go_over_sixteen, 20000, 2030, false},
        {"snapshot", find_in_snapshot, 20000, 585, false},
        {"gap next", next_gap, 20000, 2030, true},
    };

    check_costs(costs, sizeof costs / sizeof *costs);
}

TEST_CASE(cost, of_updates)
{
    static const struct cost costs[] = {
        {"store", store, 5, 495, false},
        {"store", store, 20000, 1050, false},
        {"carve and insert", carve_and_insert, 20000, 1750, false},
        {"erase and insert", erase_and_insert, 20000, 1715, false},
        {"cut and store", cut_and_store, 20000, 2525, false},
        {"update", update, 20000, 2160, false},
        {"cut and coalesce", cut_and_coalesce, 20000, 5435, false},
    };

    check_costs(costs, sizeof costs / sizeof *costs);
}

TEST_CASE(cost, of_updates_that_track_gaps)
{
    static const struct cost costs[] = {
        {"erase and insert", erase_and_insert, 20000, 2845, true},
        {"allocate and erase", allocate_and_erase, 20000, 3650, true},
        {"update", update, 20000, 2295, true},
    };

    check_costs(costs, sizeof costs / sizeof *costs);
}

TEST_CASE(cost, of_a_poll_with_nothing_to_do)
{
    static const struct cost cost = {"poll", poll, 5, 770, false};

    check_costs(&cost, 1);
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
    trial.map = new_map(trial.domain, false);
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
