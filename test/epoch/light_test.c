// SPDX-License-Identifier: BSD-2-Clause
/*
 * Light sections, step by step: when they are earned, who takes them from whom, how many heavy fences that takes, and
 * what is left where the kernel refuses those. Other threads stand still while the test does as they would.
 */
#include <errno.h>

#include "rangemap/epoch/section.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { MIN = 1 << 10, MAX = 1 << 20, AT_ONCE = 32, MANY = 63 };

static struct rig rig;

static void set(struct rm_thread *thread, uint64_t light)
{
    rm_store_relaxed(&thread->light, light);
}

static uint64_t light_of(const struct rm_thread *thread)
{
    return rm_load_relaxed(&thread->light);
}

TEST_CASE(light, is_earned_by_so_many_fences)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned i = 1; i <= MIN; i++) {
        CHECK(!rm_light(rig.own), "after %u", i - 1);
        rm_section_enter(rig.own);
        rm_section_enter(rig.own);
        CHECK_EQ(rig.own->section.active, 2u);
        rm_section_leave(rig.own);
        rm_section_leave(rig.own);
    }
    CHECK_EQ(light_of(rig.own), (uint64_t)RM_LIGHT_EARNED + RM_LIGHT);
    CHECK_EQ(rig.own->account.light_since_ns, kernel.clock_ns);
    CHECK_EQ(rig.own->account.fences_until_review, 1u, "the next fence means that it was taken away");
    rig_end(&rig);
}

/* In either way: which it is seen by, and how they nest. */
TEST_CASE(light, sections_are_seen_with_their_epoch)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned light = 0; light < 2; light++) {
        rig.own->account.fences_until_review = 10;
        set(rig.own, light != 0 ? RM_LIGHT : 0);
        for (unsigned i = 0; i < 3; i++) {
            unsigned epoch = ++rig.domain->epoch.epoch;

            rm_section_enter(rig.own);
            CHECK_EQ(rig.own->section.active, 1u);
            CHECK_EQ(rig.own->section.epoch, epoch, "light: %u", light);
            rm_section_enter(rig.own);
            CHECK_EQ(rig.own->section.active, 2u);
            CHECK_EQ(rig.own->account.fences_until_review, light != 0 ? 10u : 10u - i - 1, "once a section");
            rm_section_leave(rig.own);
            CHECK_EQ(rig.own->section.active, 1u);
            rm_section_leave(rig.own);
            CHECK_EQ(rig.own->section.active, 0u);
        }
    }
    rig_end(&rig);
}

/* What the owner does in a section with a fence, after light ones were taken away. */
TEST_CASE(light, taken_away_is_acknowledged)
{
    static const uint64_t states[] = {0, RM_LIGHT_TAKEN};

    rig_begin(&rig, NULL, 0);
    for (unsigned i = 0; i < 2; i++) {
        set(rig.own, 5 * RM_LIGHT_EARNED + states[i]);
        rig.own->account.light_since_ns = 1;
        rm_light_review(rig.own);
        CHECK_EQ(light_of(rig.own), (uint64_t)5 * RM_LIGHT_EARNED);
        rm_light_review(rig.own);
        CHECK_EQ(light_of(rig.own), (uint64_t)6 * RM_LIGHT_EARNED + RM_LIGHT);
    }
    rig_end(&rig);
}

/* By the clock whether it lasted, from each price. */
TEST_CASE(light, price_stays_in_bounds)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned price = MIN; price <= MAX; price *= 2) {
        for (unsigned lasted = 0; lasted < 2; lasted++) {
            unsigned half = price > MIN ? price / 2 : price, twice = price < MAX ? price * 2 : price;

            rig.own->account = (struct rm_light_account){1, price, kernel.clock_ns};
            if (lasted) {
                kernel_tick();
            }
            rm_light_review(rig.own);
            CHECK_EQ(rig.own->account.fences_to_earn, lasted ? half : twice, "from %u, lasted %u", price,
                     lasted);
            CHECK_EQ(rig.own->account.fences_until_review, rig.own->account.fences_to_earn);
            CHECK_EQ(rig.own->account.light_since_ns, 0u);
        }
    }
    rig_end(&rig);
}

/* With a new thread, or a parked record: none of its last one's is left but the count of how often it was earned. */
TEST_CASE(light, begins_fenced)
{
    rig_begin(&rig, NULL, 0);
    for (uint64_t state = 0; state <= RM_LIGHT_TAKEN; state++) {
        set(rig.own, 7 * RM_LIGHT_EARNED + state);
        rig.own->account = (struct rm_light_account){1, MAX, 1};
        rm_light_init(rig.own);
        CHECK_EQ(light_of(rig.own), (uint64_t)7 * RM_LIGHT_EARNED, "from %u", (unsigned)state);
        CHECK_EQ(rig.own->account.fences_to_earn, (unsigned)MIN);
        CHECK_EQ(rig.own->account.fences_until_review, (unsigned)MIN);
        CHECK_EQ(rig.own->account.light_since_ns, 0u);
    }
    rig_end(&rig);
}

/* From each state, of the caller's own record and of another's. */
TEST_CASE(light, is_taken_by_one_heavy_fence_if_any)
{
    rig_begin(&rig, NULL, 1);
    for (uint64_t state = 0; state <= RM_LIGHT_TAKEN; state++) {
        for (unsigned is_own = 0; is_own < 2; is_own++) {
            bool is_kept = is_own && state == RM_LIGHT;
            struct rm_thread *thread = is_own ? rig.own : rig.other[0];

            kernel.fences = 0;
            set(rig.own, 0);
            set(rig.other[0], 0);
            set(thread, 9 * RM_LIGHT_EARNED + state);
            CHECK(rm_light_revoke_all(rig.domain));
            CHECK_EQ(light_of(thread), 9 * RM_LIGHT_EARNED + (is_kept ? state : 0));
            CHECK_EQ(kernel.fences, state != 0 && !is_kept, "state %u, own %u", (unsigned)state, is_own);
        }
    }
    rig_end(&rig);
}

/* The first `count` are light. */
static void make_light(unsigned count)
{
    for (unsigned i = 0; i < MANY; i++) {
        set(rig.other[i], i * RM_LIGHT_EARNED + (i < count ? RM_LIGHT : 0));
        rm_store_relaxed(&rig.other[i]->cpu_ns, 0);
        rm_store_relaxed(&rig.other[i]->cpu_noted_ns, 0);
    }
    kernel.fences = 0;
}

static void check_all(unsigned count, unsigned state)
{
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(light_of(rig.other[i]), i * RM_LIGHT_EARNED + (i < count ? state : 0u), "%u of %u", i,
                 count);
    }
}

TEST_CASE(light, one_heavy_fence_serves_32_threads)
{
    rig_begin(&rig, NULL, MANY);
    for (unsigned count = 0; count <= MANY; count++) {
        make_light(count);
        CHECK(rm_light_revoke_all(rig.domain));
        CHECK_EQ(kernel.fences, (count + AT_ONCE - 1) / AT_ONCE, "%u", count);
        check_all(count, 0);
    }
    rig_end(&rig);
}

static void refuse_the_second(void)
{
    kernel.fence_error = kernel.fences == 2 ? ENOMEM : 0;
}

static void refuse_the_first(void)
{
    kernel.fence_error = kernel.fences == 1 ? ENOMEM : 0;
}

/* ENOMEM is not for good. Whichever is refused: those that it should have served stay taken, and it is said. */
TEST_CASE(light, a_refused_fence_is_said)
{
    rig_begin(&rig, NULL, MANY);
    for (unsigned count = 1; count <= MANY; count++) {
        make_light(count);
        kernel.at_fence = refuse_the_first;
        CHECK(!rm_light_revoke_all(rig.domain), "the first of %u", count);
        CHECK_EQ(light_of(rig.other[0]), (uint64_t)RM_LIGHT_TAKEN);
        make_light(count);
        kernel.at_fence = refuse_the_second;
        CHECK_EQ(rm_light_revoke_all(rig.domain), count <= AT_ONCE, "the second of %u", count);
        CHECK_EQ(light_of(rig.other[count - 1]) & RM_LIGHT_STATE, count <= AT_ONCE ? 0u : RM_LIGHT_TAKEN);
        kernel.at_fence = NULL;
        kernel.fence_error = 0;
        CHECK(rm_light_revoke_all(rig.domain), "and again");
        check_all(count, 0);
    }
    rig_end(&rig);
}

static void earn_anew(void)
{
    set(rig.other[0], light_of(rig.other[0]) + RM_LIGHT_EARNED - RM_LIGHT_TAKEN + RM_LIGHT);
}

/* The fence was for the sections before. */
TEST_CASE(light, earned_anew_meanwhile_is_kept)
{
    rig_begin(&rig, NULL, 1);
    set(rig.other[0], 3 * RM_LIGHT_EARNED + RM_LIGHT);
    kernel.at_fence = earn_anew;
    CHECK(rm_light_revoke_all(rig.domain));
    CHECK_EQ(light_of(rig.other[0]), (uint64_t)4 * RM_LIGHT_EARNED + RM_LIGHT);
    rig_end(&rig);
}

/* Whether it is let go, by its processor time and a tick at each look. */
static void check_look(uint64_t cpu_ns, bool ticks, bool is_let_go)
{
    kernel.cpu_ns = cpu_ns;
    if (ticks) {
        kernel_tick();
    }
    CHECK_EQ(rm_light_revoke_all(rig.domain), is_let_go, "%u, tick %d", (unsigned)cpu_ns, ticks);
    CHECK_EQ(light_of(rig.other[0]), (uint64_t)RM_LIGHT_EARNED + (is_let_go ? 0u : RM_LIGHT_TAKEN));
    CHECK_EQ(light_of(rig.other[1]), 0u);
}

static void take_anew(void)
{
    set(rig.other[0], RM_LIGHT_EARNED + RM_LIGHT);
    set(rig.other[1], 0);
}

/* Where heavy fences are refused a thread must be seen with the same time, not 0, at two looks a tick apart. */
TEST_CASE(light, without_a_fence_it_must_stand_still)
{
    rig_begin(&rig, NULL, 2);
    kernel.fence_error = ENOMEM;
    kernel.has_cpu_time = true;
    take_anew();
    check_look(100, true, false);
    check_look(100, false, false);
    check_look(100, true, true);
    take_anew();
    check_look(101, true, false);
    check_look(102, true, false);
    check_look(102, true, true);
    take_anew();
    check_look(0, true, false);
    check_look(0, true, false);
    check_look(0, true, false);
    check_look(103, true, false);
    check_look(104, false, false);
    check_look(104, false, false);
    check_look(104, true, true);
    rig_end(&rig);
}

TEST_CASE(light, without_a_fence_it_may_be_gone)
{
    rig_begin(&rig, NULL, 2);
    kernel.fence_error = ENOMEM;
    kernel.has_cpu_time = true;
    take_anew();
    check_look(0, true, false);
    kernel.gone = rm_record_tid(rig.other[1]);
    check_look(0, true, false);
    kernel.gone = rm_record_tid(rig.other[0]);
    check_look(0, false, true);
    rig_end(&rig);
}

/* For good: then no thread becomes light any more. The last case, as that cannot be undone. */
TEST_CASE(light, z_is_not_earned_where_fences_are_refused)
{
    rig_begin(&rig, NULL, 1);
    set(rig.other[0], RM_LIGHT);
    kernel.fence_error = EPERM;
    CHECK(!rm_light_revoke_all(rig.domain));
    CHECK(!rm_fence_is_asymmetric());
    rm_light_review(rig.own);
    CHECK_EQ(light_of(rig.own), 0u);
    CHECK_EQ(rig.own->account.fences_until_review, (unsigned)MAX);
    rig_end(&rig);
}
