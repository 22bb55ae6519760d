// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which records are a thread's: a tree of them, beside a table. Domains come and go, of this thread and of another, in
 * random order; after each step every domain's record is found or not as the table says, and none is left over.
 */
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/epoch/attach.h"
#include "test/epoch/kernel.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { DOMAINS = 60, STEPS = 3000 };

static struct rangemap_domain *domain[DOMAINS];
static struct rm_thread *own[DOMAINS]; /* NULL: not attached */

static void check_one(unsigned i)
{
    struct rm_thread *found = rm_thread_existing(domain[i]);

    CHECK_EQ(found, own[i], "domain %u", i);
    CHECK_EQ(rangemap_domain_is_attached(domain[i]), own[i] != NULL);
    if (found != NULL) {
        CHECK(rm_thread_is_own(found));
        CHECK_EQ(found->domain, domain[i]);
    }
}

static void check_all(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        check_one(i);
    }
    CHECK_NE(rm_thread_last, NULL);
    for (unsigned i = 0; i < DOMAINS; i++) {
        if (rm_thread_last->section.global == &domain[i]->epoch) {
            CHECK_EQ(rm_thread_last, own[i]);
        }
    }
}

static void attach(unsigned i)
{
    own[i] = rm_thread_current(domain[i]);
    REQUIRE_NE(own[i], NULL);
    CHECK_EQ(rm_thread_last, own[i]);
    CHECK_EQ(rm_thread_current(domain[i]), own[i], "and again");
}

static void detach(unsigned i)
{
    CHECK_EQ(rm_thread_detach(domain[i]), 0);
    own[i] = NULL;
}

/* Its record, if the thread has one, is an orphan until the thread attaches or detaches somewhere. */
static void make_anew(unsigned i)
{
    CHECK_EQ(rangemap_domain_destroy(domain[i]), 0); /* attaches the thread for its barrier */
    own[i] = NULL;
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain[i]), 0);
}

static void step(uint64_t random)
{
    unsigned i = (unsigned)(random >> 8) % DOMAINS;

    if (random % 16 == 0) {
        make_anew(i);
    } else if (own[i] != NULL && random % 2 != 0) {
        detach(i);
    } else {
        attach(i);
    }
}

/* Records in each state, over all numbers. */
static unsigned count(enum rm_thread_state state)
{
    unsigned found = 0;

    for (uint32_t i = 0; i < rm_record_numbers(); i++) {
        const struct rm_thread *thread = rm_record_at(i);

        found += thread != NULL && rm_standing_state(rm_load_relaxed(&thread->standing)) == state;
    }
    return found;
}

static unsigned attached(void)
{
    unsigned found = 0;

    for (unsigned i = 0; i < DOMAINS; i++) {
        found += own[i] != NULL;
    }
    return found;
}

TEST_CASE(own, is_found_as_a_table_says)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        REQUIRE_EQ(rangemap_domain_create(NULL, &domain[i]), 0);
        own[i] = NULL;
    }
    for (unsigned i = 0; i < STEPS * test_scale(); i++) {
        step(prng_mix(test_seed() * 1000003 + i));
        check_all();
        CHECK_EQ(count(RM_THREAD_ATTACHED), attached());
    }
    detach(0);
    CHECK_EQ(count(RM_THREAD_ORPHAN), 0u,
             "a detach sees to them, also of a domain where there is nothing to do");
    CHECK_EQ(count(RM_THREAD_MOVING), 0u);
    for (unsigned i = 0; i < DOMAINS; i++) {
        CHECK_EQ(rangemap_domain_destroy(domain[i]), 0);
    }
    CHECK_GE(count(RM_THREAD_ORPHAN), 1u, "that of the last");
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    CHECK_EQ(count(RM_THREAD_ORPHAN), 0u);
    CHECK_EQ(rangemap_unload(false), 0);
}

/* Where it changes, signals are held off, and let through again. */
TEST_CASE(own, changes_while_signals_are_held_off)
{
    unsigned before;

    kernel_reset();
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain[0]), 0);
    for (unsigned i = 0; i < 3; i++) {
        before = kernel.signals_held_off;
        own[0] = rm_thread_current(domain[0]);
        CHECK_GE(kernel.signals_held_off, before + 2);
        CHECK_EQ((kernel.signals_held_off - before) % 2, 0u);
        before = kernel.signals_held_off;
        CHECK_EQ(rm_thread_detach(domain[0]), 0);
        CHECK_EQ(kernel.signals_held_off, before + 2);
    }
    CHECK_EQ(rangemap_domain_destroy(domain[0]), 0);
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    kernel.clock_ns = 0;
}

static void check_renumbered(int number, uint64_t list)
{
    rm_own_renumber(number);
    for (unsigned i = 0; i < DOMAINS; i++) {
        uint64_t standing = rm_load_relaxed(&own[i]->standing);

        CHECK_EQ(standing, rm_standing(RM_THREAD_ATTACHED, number, rm_standing_attached(standing)) | list);
        CHECK_GE(rm_standing_attached(standing), 1u);
    }
}

/* In a child of a fork its own records have its number; and the list, if whoever made it has given it one. */
TEST_CASE(own, is_renumbered)
{
    enum { NUMBER = 4711 };
    int before = rm_thread_number();
    void *list;
    size_t bytes;

    for (unsigned i = 0; i < DOMAINS; i++) {
        REQUIRE_EQ(rangemap_domain_create(NULL, &domain[i]), 0);
        attach(i);
        attach(i);
    }
    REQUIRE_EQ(syscall(SYS_get_robust_list, 0, &list, &bytes), 0);
    REQUIRE_EQ(syscall(SYS_set_robust_list, NULL, bytes), 0);
    check_renumbered(NUMBER, 0);
    REQUIRE_EQ(syscall(SYS_set_robust_list, list, bytes), 0);
    check_renumbered(NUMBER + 1, RM_STANDING_LIST);
    rm_own_renumber(before);
    for (unsigned i = 0; i < DOMAINS; i++) {
        CHECK_EQ(rangemap_domain_destroy(domain[i]), 0);
    }
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    CHECK_EQ(count(RM_THREAD_ORPHAN), 0u);
}
