// SPDX-License-Identifier: BSD-2-Clause
/*
 * No wake-up is lost: one comes between any two instructions of a waiter, up to those with which it sleeps. One that
 * is lost makes the test run into its time limit.
 */
#define _GNU_SOURCE /* REG_EFL */
#include <sys/syscall.h>

#include "pagemap/base/wait.h"
#include "test/pagemap/sleeps.h"
#include "test/shim/step.h"

static uint64_t word, round_is_on, woke_late;
static int waiter_tid;

static bool is_set(void *context)
{
    return pm_load_full(context) != 0;
}

static void wake(void)
{
    (void)pm_swap_full(&word, 1);
    pm_wake_var(&word);
}

/*
 * When it is asked; once in a round, in which it is not asked before the waiter sleeps, after a while. A waiter that is
 * off its processor for that long does not sleep.
 */
static void *wake_when_asked(void *context)
{
    unsigned idle = 0;

    (void)context;
    while (!step_load(&step.stop)) {
        if (step_load(&step.state) == STEP_ASKED) {
            wake();
            step_store(&step.state, STEP_DONE);
        } else if (step_load(&round_is_on) != 0 && step_load(&step.state) == STEP_ALONE && ++idle > 1000 &&
                   thread_sleeps(waiter_tid)) {
            step_store(&woke_late, 1);
            wake();
            idle = 0;
        } else {
            idle = step_load(&round_is_on) != 0 ? idle : 0;
            (void)usleep(20);
        }
    }
    return NULL;
}

/* False: all instructions have been had. */
static bool wait_once(uint64_t at)
{
    step.at = at;
    step.count = 0;
    word = 0;
    woke_late = 0;
    step_store(&step.state, STEP_ALONE);
    step_store(&round_is_on, 1);
    step_begin();
    pm_wait_var(&word, is_set, &word);
    step.armed = false;
    step_store(&round_is_on, 0);
    CHECK_EQ(step_load(&word), 1);
    while (step_was_asked() && !step_is_done()) {
        (void)sched_yield();
    }
    return step_load(&woke_late) == 0;
}

TEST_CASE(wait, woken_between_any_two_instructions)
{
    pthread_t thread;
    uint64_t at = 0;

    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    memset(&step, 0, sizeof step);
    step_prepare();
    waiter_tid = (int)syscall(SYS_gettid);
    REQUIRE_EQ(pthread_create(&thread, NULL, wake_when_asked, NULL), 0);
    while (wait_once(at)) {
        at++;
        REQUIRE_LE(at, 5000, "no end of instructions");
    }
    CHECK_GT(at, 30u, "instructions up to the sleep");
    step_store(&step.stop, 1);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(pm_waiters, 0);
}

/* Four threads hand two words to each other, by turns, in different buckets and, with luck, in the same. */
enum { TURNS = 20000, PAIRS = 2 };

static struct turn {
    uint64_t whose __attribute__((aligned(64)));
} turns[PAIRS];

struct player {
    uint64_t *whose, me;
};

static bool is_mine(void *player)
{
    return pm_load_full(((struct player *)player)->whose) == ((struct player *)player)->me;
}

static void *play(void *context)
{
    struct player *player = context;

    for (unsigned i = 0; i < TURNS; i++) {
        pm_wait_var(player->whose, is_mine, player);
        (void)pm_swap_full(player->whose, !player->me);
        pm_wake_var(player->whose);
    }
    return NULL;
}

TEST_CASE(wait, by_turns)
{
    struct player players[2 * PAIRS];
    pthread_t threads[2 * PAIRS];

    for (unsigned i = 0; i < 2 * PAIRS; i++) {
        players[i] = (struct player){&turns[i / 2].whose, i % 2};
        REQUIRE_EQ(pthread_create(&threads[i], NULL, play, &players[i]), 0);
    }
    for (unsigned i = 0; i < 2 * PAIRS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_EQ(pm_waiters, 0);
}

/* ---- who is woken ---- */

enum { OTHERS = 256 };

struct sleeper {
    uint64_t word, looks, tid;
};

static bool is_set_and_counted(void *context)
{
    struct sleeper *sleeper = context;

    (void)pm_add_full(&sleeper->looks, 1);
    return pm_load_full(&sleeper->word) != 0;
}

static void *sleep_once(void *context)
{
    struct sleeper *sleeper = context;

    step_store(&sleeper->tid, (uint64_t)syscall(SYS_gettid));
    pm_wait_var(&sleeper->word, is_set_and_counted, sleeper);
    return NULL;
}

/* How often it has looked when it sleeps. A thread that was woken does not before it has looked. */
static uint64_t looks_asleep(const struct sleeper *sleeper)
{
    while (!thread_sleeps((int)step_load(&sleeper->tid))) {
        (void)usleep(50);
    }
    return step_load(&sleeper->looks);
}

/* Wake-ups of other words seldom disturb: they share 64 buckets. */
TEST_CASE(wait, others_wake_seldom)
{
    static uint64_t others[OTHERS];
    static struct sleeper sleeper;
    unsigned disturbed = 0;
    pthread_t thread;

    REQUIRE_EQ(pthread_create(&thread, NULL, sleep_once, &sleeper), 0);
    while (looks_asleep(&sleeper) == 0) { /* it may sleep before, too */
        (void)sched_yield();
    }
    for (unsigned i = 0; i < OTHERS; i++) {
        uint64_t before = looks_asleep(&sleeper);

        pm_wake_var(&others[i]);
        disturbed += looks_asleep(&sleeper) != before;
    }
    CHECK_LE(disturbed, OTHERS / 8u);
    (void)pm_swap_full(&sleeper.word, 1);
    pm_wake_var(&sleeper.word);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(pm_waiters, 0);
}
