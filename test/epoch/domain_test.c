// SPDX-License-Identifier: BSD-2-Clause
/* A domain by itself: its options, both sides of its limits, how many there are, and whom it wakes. */
#include "rangemap/epoch/domain.h"
#include "test/check/chunk_source.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

static void pressed(struct rangemap_domain *domain, const struct rangemap_blocker *blocker, void *context)
{
    (void)domain;
    (void)blocker;
    (void)context;
}

/* Above the soft limit, but at the hard one; 0 is none. */
TEST_CASE(domain, both_sides_of_its_limits)
{
    static const uint64_t limits[] = {0, 1, 1000, UINT64_MAX};

    for (unsigned i = 0; i < 16; i++) {
        struct rangemap_domain_options options = {.soft_limit_bytes = limits[i % 4],
                                                  .hard_limit_bytes = limits[i / 4]};
        struct rangemap_domain *domain = rm_domain_new(&options);

        REQUIRE_NE(domain, NULL);
        CHECK_EQ(rm_domain_has_limit(domain), i != 0);
        for (unsigned j = 0; j < 12; j++) {
            uint64_t bytes = limits[j / 3] + j % 3 - 1;

            rm_store_relaxed(&domain->pending_bytes, bytes);
            CHECK_EQ(rm_domain_is_over_soft_limit(domain), i % 4 != 0 && bytes > limits[i % 4]);
            CHECK_EQ(rm_domain_is_over_hard_limit(domain), i / 4 != 0 && bytes >= limits[i / 4]);
        }
        rm_domain_free(domain);
    }
}

TEST_CASE(domain, options)
{
    struct rangemap_domain_options options = {
        .soft_limit_bytes = 3, .hard_limit_bytes = 4, .pressure = pressed, .context = &options};

    for (unsigned i = 0; i < 3; i++) {
        struct rangemap_domain *domain = rm_domain_new(i < 2 ? &options : NULL);

        REQUIRE_NE(domain, NULL);
        CHECK_EQ(domain->soft_limit_bytes, i < 2 ? 3u : 0u);
        CHECK_EQ(domain->hard_limit_bytes, i < 2 ? 4u : 0u);
        CHECK(domain->pressure == (i < 2 ? pressed : NULL));
        CHECK_EQ(domain->context, i < 2 ? &options : NULL);
        CHECK_EQ(domain->calls_back_when_asked, i == 1);
        rm_domain_free(domain);
        options.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED;
    }
}

/* With the default one and without. */
TEST_CASE(domain, how_many_others_there_are)
{
    struct rangemap_domain *domain[5], *first = NULL;

    for (unsigned round = 0; round < 3; round++) {
        CHECK_EQ(rm_domain_existing(NULL), NULL);
        for (unsigned i = 0; i < 5; i++) {
            if (i == 2) {
                first = rm_domain_or_default(NULL);
                REQUIRE_NE(first, NULL);
            }
            CHECK_EQ(rm_domain_others(), i);
            domain[i] = rm_domain_new(NULL);
            REQUIRE_NE(domain[i], NULL);
            CHECK_EQ(rm_domain_existing(domain[i]), domain[i]);
            CHECK_EQ(rm_domain_or_default(domain[i]), domain[i]);
            CHECK(!rm_domain_is_default(domain[i]));
        }
        CHECK(rm_domain_is_default(first));
        CHECK_EQ(rm_domain_existing(NULL), first);
        CHECK_EQ(rm_domain_or_default(NULL), first, "it is made once");
        for (unsigned i = 5; i-- > 0;) {
            if (i == 2) {
                rm_domain_drop_default();
            }
            rm_domain_free(domain[i]);
            CHECK_EQ(rm_domain_others(), i);
        }
    }
}

TEST_CASE(domain, without_memory)
{
    static struct chunk_source source;
    struct rangemap_domain_options options = {.chunks = &source.allocator};

    chunk_source_init(&source);
    source.fail_all = true;
    CHECK_EQ(rm_domain_new(&options), NULL);
    CHECK_EQ(rm_domain_others(), 0u);
    CHECK_EQ(source.live, 0u);
}

/* Where callbacks are made when asked: `work` rises each time, and the kernel is asked if there are waiters. */
TEST_CASE(domain, wakes_who_waits_for_work)
{
    struct rangemap_domain_options options = {.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};

    for (unsigned i = 0; i < 6; i++) {
        bool when_asked = i % 2 != 0;
        uint64_t waiters = i / 2, work;
        struct rangemap_domain *domain = rm_domain_new(when_asked ? &options : NULL);

        REQUIRE_NE(domain, NULL);
        kernel_reset();
        work = rm_load_relaxed(&domain->work);
        rm_store_relaxed(&domain->waiters, waiters);
        rm_domain_announce_work(domain);
        CHECK_EQ(rm_load_relaxed(&domain->work) - work, when_asked);
        CHECK_EQ(kernel.wakes, when_asked && waiters > 0, "case %u", i);
        kernel.clock_ns = 0;
        rm_domain_free(domain);
    }
}
