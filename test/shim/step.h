// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lets another thread do something between two instructions of ours, whichever: the processor traps after each
 * instruction, and the handler waits at the one that was asked for. x86-64 only.
 */
#ifndef RANGEMAP_TEST_SHIM_STEP_H
#define RANGEMAP_TEST_SHIM_STEP_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "test/shim/ctest.h"
#include "test/shim/prng.h"

#if defined(__x86_64__)
#define STEP_WORKS 1
#else
#define STEP_WORKS 0
#endif

enum step_state { STEP_ALONE, STEP_ASKED, STEP_DONE };

struct step {
    void (*act)(void);       /* ours; takes no lock that `interfere` takes */
    void (*interfere)(void); /* the other thread's */
    bool in_handler;         /* it is a signal handler's instead: this thread does it, there and then */
    bool (*may_go_on)(void); /* that it has done enough, if it waits for us; NULL: it does not */
    void (*check)(void); /* looks at what came of it, and gives it back; the other may be waiting for that */
    void (*restore)(void); /* if the other was let loose, and has come back; NULL: nothing to do */
    uint64_t at;           /* before which instruction */
    uint64_t count;
    uint64_t state; /* an enum step_state */
    uint64_t stop;
    bool armed;
};

static struct step step;

static inline uint64_t step_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void step_store(uint64_t *word, uint64_t value)
{
    (void)__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/* Whether the other thread was let loose in this round; and has come back. */
static inline bool step_was_asked(void)
{
    return step_load(&step.state) != STEP_ALONE;
}

static inline bool step_is_done(void)
{
    return step_load(&step.state) == STEP_DONE;
}

static inline void step_wait(void)
{
    step_store(&step.state, STEP_ASKED);
    while (!step_is_done() && (step.may_go_on == NULL || !step.may_go_on())) {
        (void)sched_yield();
    }
    for (unsigned i = 0; i < 20 && !step_is_done(); i++) { /* some way on, if it can */
        (void)sched_yield();
    }
}

#if STEP_WORKS
static inline void step_trapped(int signal_number, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    const greg_t trap = 0x100;

    (void)signal_number, (void)info;
    if (step.armed && step.count++ == step.at) {
        step.armed = false;
        if (step.in_handler) {
            step.interfere();
            step_store(&step.state, STEP_DONE);
        } else {
            step_wait();
        }
    }
    *flags = step.armed ? *flags | trap : *flags & ~trap;
}

static inline void step_begin(void)
{
    step.armed = true;
    __asm__ volatile("int3" ::: "memory");
}
#else
static inline void step_begin(void)
{
}
#endif

static inline void *step_interfere(void *context)
{
    (void)context;
    while (!step_load(&step.stop)) {
        if (step_load(&step.state) == STEP_ASKED) {
            step.interfere();
            step_store(&step.state, STEP_DONE);
        } else {
            (void)usleep(20);
        }
    }
    return NULL;
}

/* Does it once. How many instructions it had, if nobody interfered. */
static inline uint64_t step_once(uint64_t at)
{
    step.at = at;
    step.count = 0;
    step_store(&step.state, STEP_ALONE);
    step_begin();
    step.act();
    step.armed = false;
    step.check();
    while (step_was_asked() && !step_is_done()) {
        (void)sched_yield();
    }
    if (step_was_asked() && step.restore != NULL) {
        step.restore();
    }
    return step.count;
}

/* Traps are handled from now on. */
static inline void step_prepare(void)
{
#if STEP_WORKS
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = step_trapped;
    action.sa_flags = SA_SIGINFO;
    REQUIRE_EQ(sigaction(SIGTRAP, &action, NULL), 0);
#endif
}

/* How many instructions `act` has: the least of some times, since what the system interrupts may begin again. */
static inline uint64_t step_count(void)
{
    uint64_t least = step_once(UINT64_MAX);

    for (unsigned i = 0; i < 4; i++) {
        uint64_t count = step_once(UINT64_MAX);

        least = count < least ? count : least;
    }
    return least;
}

/* Before which instruction what was done first comes out as `is_so`: it does before each later one, too. */
static inline uint64_t step_first(uint64_t instructions, const bool *is_so)
{
    uint64_t low = 0, high = instructions;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        (void)step_once(middle);
        if (*is_so) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/*
 * Interferes before each instruction of `act`, in a handler; before each few where a sanitizer makes it more than 500.
 */
static inline void step_everywhere(void)
{
    uint64_t instructions;

    (void)step_once(UINT64_MAX); /* what a first time does */
    instructions = step_count();
    CHECK_GT(instructions, 50u);
    for (uint64_t at = 0; at < instructions; at += 1 + instructions / 500) {
        (void)step_once(at);
    }
}

/*
 * Interferes at places spread over all instructions of `act`, and before each of the last sixteen, where the answer
 * is on its way: at as many as take about `steps` steps. Returns in how many of them.
 */
static inline unsigned step_through(uint64_t steps)
{
    struct prng prng = prng_stream(test_seed(), 7);
    uint64_t instructions, stride, interfered = 0;
    pthread_t thread;

    step_prepare();
    step.stop = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, step_interfere, NULL), 0);
    (void)step_once(UINT64_MAX); /* what a first time does */
    instructions = step_count();
    stride = instructions * instructions / 2 / steps + 1;
    for (uint64_t at = prng_below(&prng, stride); at < instructions; at += stride) {
        (void)step_once(at);
        interfered += step_was_asked();
    }
    for (uint64_t last = 1; last <= 16 && last < instructions; last++) {
        uint64_t count = step_once(instructions - last);

        interfered += step_was_asked();
        if (!step_was_asked()) { /* it has become shorter: once more, from its end */
            instructions = count;
            last = 0;
        }
    }
    step_store(&step.stop, 1);
    (void)pthread_join(thread, NULL);
    return (unsigned)interfered;
}

#endif
