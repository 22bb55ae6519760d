// SPDX-License-Identifier: BSD-2-Clause
/*
 * A signal whose handler uses the library, before each instruction of its thread's attaching and detaching. The
 * thread has one record afterwards, and finds all others that it had. And the proof that this would show: with
 * signals let through while the tree of records changes, it does not.
 */
#define _GNU_SOURCE /* REG_EFL */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/mutations/rules.h"
#include "test/shim/ctest.h"
#include "test/shim/step.h"

enum rm_rule rm_broken_rule = RM_NO_RULE;

enum { OTHERS = 6, STEPS = 20000, FAULTS = 255 };

static struct rangemap_domain *domain, *other[OTHERS], *orphaned;
static unsigned handled, faults;

static bool enters(struct rangemap_domain *of)
{
    bool good = rangemap_domain_read_begin(of) == 0;

    if (good) {
        rangemap_domain_read_end(of);
    }
    return good;
}

static void on_signal(int number)
{
    (void)number;
    handled++;
    faults += !enters(domain);
}

/* From within the trap's handler: comes now, or as soon as it is let through. */
static void send_signal(void)
{
    (void)raise(SIGUSR1);
}

static void attach(void)
{
    faults += !enters(domain);
}

/* A handler may attach it again. */
static void detach(void)
{
    faults += rangemap_domain_detach(domain) != 0;
}

static void look(void)
{
    struct rangemap_domain_statistics now;

    faults += rangemap_domain_stats(domain, &now) != 0 || now.threads > 1 ||
              now.threads != (unsigned)rangemap_domain_is_attached(domain);
    for (unsigned i = 0; i < OTHERS; i++) {
        faults += rangemap_domain_is_attached(other[i]) != 1;
    }
}

static void look_attached(void)
{
    look();
    faults += rangemap_domain_is_attached(domain) != 1;
    faults += rangemap_domain_detach(domain) != 0;
}

static void look_detached(void)
{
    look();
    attach();
}

static void renew_orphan(void)
{
    faults += rangemap_domain_create(NULL, &orphaned) != 0 || !enters(orphaned) ||
              rangemap_domain_destroy(orphaned) != 0;
}

/* Then attaching removes the record of a domain that is gone from the tree, first. */
static void look_attached_beside_orphan(void)
{
    look_attached();
    renew_orphan();
}

static unsigned rounds_of(void (*act)(void), void (*check)(void))
{
    memset(&step, 0, sizeof step);
    step.act = act;
    step.check = check;
    step.interfere = send_signal;
    step.in_handler = true;
    return step_through(STEPS * (uint64_t)test_scale());
}

static void begin(void)
{
    REQUIRE(signal(SIGUSR1, on_signal) != SIG_ERR);
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    for (unsigned i = 0; i < OTHERS; i++) {
        REQUIRE_EQ(rangemap_domain_create(NULL, &other[i]), 0);
        REQUIRE(enters(other[i]));
    }
}

static void end(void)
{
    for (unsigned i = 0; i < OTHERS; i++) {
        REQUIRE_EQ(rangemap_domain_destroy(other[i]), 0);
    }
    REQUIRE_EQ(rangemap_domain_destroy(domain), 0);
}

static void attach_and_detach(void)
{
    unsigned rounds = rounds_of(attach, look_attached);

    renew_orphan();
    rounds += rounds_of(attach, look_attached_beside_orphan);
    attach();
    rounds += rounds_of(detach, look_detached);
    printf("handlers in %u of %u rounds, %u faults\n", handled, rounds, faults);
    CHECK_GT(rounds, 100);
    CHECK_EQ(handled, rounds);
}

TEST_CASE(attach, a_handler_at_any_instruction)
{
    if (!STEP_WORKS) {
        TEST_SKIP("no way to trap after each instruction");
    }
    begin();
    attach_and_detach();
    CHECK_EQ(faults, 0);
    end();
}

static int faults_of_child(void)
{
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    REQUIRE_GE(child, 0);
    if (child == 0) {
        rm_broken_rule = RM_LIFE_SIGNALS;
        begin();
        attach_and_detach();
        (void)fflush(NULL);
        _exit(faults < FAULTS ? (int)faults : FAULTS);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    return status;
}

TEST_CASE(attach, is_seen_if_handlers_come_meanwhile)
{
    if (!STEP_WORKS) {
        TEST_SKIP("no way to trap after each instruction");
    }
    faults = handled = 0;
    CHECK_NE(faults_of_child(), 0);
}
