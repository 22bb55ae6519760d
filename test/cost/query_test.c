// SPDX-License-Identifier: BSD-2-Clause
/* What lookups and queries cost in instructions, and what the domain does on the side. */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */

#include "rangemap/base/fence.h"
#include "rangemap/epoch/light.h"
#include "test/cost/trial.h"
#include "test/shim/ctest.h"

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

TEST_CASE(cost, of_lookups)
{
    static const struct cost costs[] = {
        {"lookup", look_up, 5, 131, TRIAL_PLAIN},
        {"lookup", look_up, 20000, 384, TRIAL_PLAIN},
        {"batch of 16", look_up_sixteen, 5, 1317, TRIAL_PLAIN},
        {"batch of 16", look_up_sixteen, 20000, 6263, TRIAL_PLAIN},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(cost, of_queries)
{
    static const struct cost costs[] = {
        {"next", next, 20000, 766, TRIAL_PLAIN},
        {"previous", previous, 20000, 659, TRIAL_PLAIN},
        {"overlap", overlap, 20000, 723, TRIAL_PLAIN},
        {"is covered", is_covered, 20000, 626, TRIAL_PLAIN},
        {"is free", is_free, 20000, 637, TRIAL_PLAIN},
        {"cursor over 16", go_over_sixteen, 20000, 2111, TRIAL_PLAIN},
        {"snapshot", find_in_snapshot, 20000, 608, TRIAL_PLAIN},
        {"gap next", next_gap, 20000, 785, TRIAL_TRACKS_GAPS},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(cost, of_a_poll_with_nothing_to_do)
{
    static const struct cost cost = {"poll", poll, 5, 843, TRIAL_PLAIN};

    check_costs(&cost, 1, 16);
}

TEST_CASE(cost, of_a_poll_beside_idle_threads)
{
    struct trial trial = {.ranges = 1, .calls = 40, .call = poll};

    trial_begin();
    REQUIRE_EQ(rangemap_domain_create(NULL, &trial.domain), 0);
    check_cost_beside("poll beside 32 threads", &trial, 32, 1994);
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
        trial_tick();
        rm_light_review(thread);
        CHECK_EQ(thread->account.fences_to_earn, price > FENCES_TO_EARN_MIN ? price : FENCES_TO_EARN_MIN);
        CHECK_EQ(thread->account.fences_until_review, thread->account.fences_to_earn);
    }
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
