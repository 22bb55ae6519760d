// SPDX-License-Identifier: BSD-2-Clause
/* What one poll does and answers, by whose sections are open, and since when; and how stamps compare. */
#include <errno.h>
#include <limits.h>

#include "rangemap/epoch/grace.h"
#include "rangemap/epoch/section.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { OTHERS = 20, BETWEEN_LOOKS = 8 };

static struct rig rig;

static void open(struct rm_thread *thread, unsigned epoch)
{
    thread->section.active = 1;
    thread->section.epoch = epoch;
}

static void close(struct rm_thread *thread)
{
    thread->section.active = 0;
}

/* One poll: what it says, who blocks, and whether the epoch has moved, by one. */
static void check_poll(enum rm_grace grace, const struct rm_thread *blocker, unsigned moved)
{
    struct rm_thread *found = rig.own;
    unsigned before = rig.domain->epoch.epoch;

    CHECK_EQ((unsigned)rm_grace_poll(rig.domain, &found), (unsigned)grace);
    CHECK_EQ(found, blocker);
    CHECK_EQ(rig.domain->epoch.epoch, before + moved);
}

TEST_CASE(grace, of_each_thread_that_is_in_a_section)
{
    rig_begin(&rig, NULL, OTHERS);
    for (unsigned i = 0; i <= OTHERS; i++) {
        struct rm_thread *thread = i == OTHERS ? rig.own : rig.other[i];

        check_poll(RM_GRACE_QUIET, NULL, 1);
        open(thread, rig.domain->epoch.epoch);
        check_poll(RM_GRACE_ADVANCED, NULL, 1);
        check_poll(RM_GRACE_BLOCKED, thread, 0);
        check_poll(RM_GRACE_BLOCKED, thread, 0);
        close(thread);
        open(thread, rig.domain->epoch.epoch + 1); /* it began after another poll */
        check_poll(RM_GRACE_BLOCKED, thread, 0);
        close(thread);
    }
    rig_end(&rig);
}

/* A record without a thread has no section. */
TEST_CASE(grace, of_attached_records_only)
{
    rig_begin(&rig, NULL, 2);
    open(rig.other[0], rig.domain->epoch.epoch - 1);
    rm_roster_set_attached(&rig.domain->roster, rig.other[0], false);
    check_poll(RM_GRACE_QUIET, NULL, 1);
    rm_roster_set_attached(&rig.domain->roster, rig.other[0], true);
    check_poll(RM_GRACE_BLOCKED, rig.other[0], 0);
    close(rig.other[0]);
    rig_end(&rig);
}

TEST_CASE(grace, refused_fences_block_and_nobody_is_named)
{
    rig_begin(&rig, NULL, 1);
    kernel.fence_error = ENOMEM;
    rm_store_relaxed(&rig.other[0]->light, RM_LIGHT);
    check_poll(RM_GRACE_BLOCKED, NULL, 0);
    kernel.fence_error = 0;
    check_poll(RM_GRACE_QUIET, NULL, 1);
    rig_end(&rig);
}

static unsigned moves;

static void move_epoch(void)
{
    rig.domain->epoch.epoch += moves;
}

/* Another poller has moved it in the midst of a poll: it is found out at the latest at the end, and not moved again. */
static void check_beside_another(unsigned records, enum rm_grace grace, unsigned moved)
{
    for (moves = 0; moves < 3; moves++) {
        rm_store_relaxed(&rig.other[0]->light, RM_LIGHT);
        kernel.at_fence = move_epoch;
        check_poll(moves == 0 ? RM_GRACE_QUIET : grace, NULL, moves == 0 ? 1 : moved * moves);
        CHECK_GT(kernel.fences, 0u, "%u records", records);
        kernel.at_fence = NULL;
    }
}

TEST_CASE(grace, of_a_poll_that_another_overtakes)
{
    for (unsigned others = 1; others <= OTHERS; others++) {
        rig_begin(&rig, NULL, others);
        check_beside_another(others + 1, others + 1 < BETWEEN_LOOKS ? RM_GRACE_QUIET : RM_GRACE_ADVANCED, 1);
        rig_end(&rig);
    }
}

/* Two epochs, also where the counter wraps. */
TEST_CASE(grace, is_over_after_two_epochs)
{
    static const unsigned stamps[] = {0, 1, 1000, INT_MAX, INT_MAX + 1U, UINT_MAX - 1, UINT_MAX};

    for (unsigned i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        unsigned stamp = stamps[i];

        CHECK(!rm_grace_is_over(stamp, stamp - 1));
        CHECK(!rm_grace_is_over(stamp, stamp));
        CHECK(!rm_grace_is_over(stamp, stamp + 1));
        CHECK(rm_grace_is_over(stamp, stamp + 2));
        CHECK(rm_grace_is_over(stamp, stamp + 3));
        CHECK(rm_grace_is_over(stamp, stamp + INT_MAX));
    }
}
