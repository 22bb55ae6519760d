// SPDX-License-Identifier: BSD-2-Clause
/*
 * Restartable additions with a long way from the look at the mode to the addition, so that a thread that moves,
 * interrupts or outruns a thread does it there. The protocol is that of percpu_ref: open words are added to, a closer
 * changes the mode, restarts all, and takes what the words hold.
 */
#define _GNU_SOURCE /* CPU_SET */
#define PM_RESTART_DELAY ".rept 20\n\tpause\n\t.endr\n\t"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "pagemap/base/atomic.h"
#include "pagemap/core/domain.h"
#include "pagemap/percpu_ref/restart.h"
#include "test/shim/ctest.h"

enum { OPEN = 0, CLOSED = 1, THREADS = 3 };

struct words {
    uint64_t *first;
    uint64_t mode, added, taken, begun, stop;
};

static struct words words;

/* That of the system and of this build, found out without the library. */
static bool is_to_be_had(void)
{
#if PM_HAS_RESTART
    return __rseq_size > 0 && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
           syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
#else
    return false;
#endif
}

static void open_words(void)
{
    REQUIRE_NE(pm_domain(), NULL);
    words = (struct words){.first = pm_percpu_alloc()};
    REQUIRE_NE(words.first, NULL);
    CHECK_EQ(pm_restart_is_used, is_to_be_had());
    if (!pm_restart_is_used) {
        pm_percpu_free(words.first);
        TEST_SKIP("no restartable sequences: no rseq(2), no membarrier(2) for it, another processor, or "
                  "ThreadSanitizer");
    }
}

static uint64_t take_all(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
        sum += __atomic_exchange_n(pm_percpu_word(words.first, cpu), 0, __ATOMIC_SEQ_CST);
    }
    return sum;
}

/* What was counted here and what lies in the words must agree when nobody adds. */
static void close_words(void)
{
    words.taken += take_all();
    CHECK_EQ(words.taken, words.added);
    pm_percpu_free(words.first);
}

static void *add(void *context)
{
    uint64_t added = 0;
    bool has_begun = false;
    unsigned cpu = 0;

    (void)context;
    while (pm_load_relaxed(&words.stop) == 0) {
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET(cpu++ % (unsigned)sysconf(_SC_NPROCESSORS_CONF), &one);
        (void)sched_setaffinity(0, sizeof one, &one); /* where it is ours to use */
        for (unsigned i = 0; i < 200; i++) {
            added += pm_restart_add(words.first, &words.mode, OPEN, 1);
        }
        if (!has_begun) {
            (void)pm_add_full(&words.begun, 1);
            has_begun = true;
        }
    }
    (void)pm_add_full(&words.added, added);
    return NULL;
}

/* Returns when all of them have added something. */
static void start(pthread_t *thread)
{
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], NULL, add, NULL), 0);
    }
    while (pm_load_full(&words.begun) < THREADS) {
        (void)sched_yield();
    }
}

static void stop(const pthread_t *thread)
{
    (void)pm_or_full(&words.stop, 1);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
}

/* Several threads a CPU, each moved about: one that went on to add where it was before would meet another there. */
TEST_CASE(restart, threads_that_move_lose_nothing)
{
    pthread_t thread[THREADS];

    open_words();
    start(thread);
    (void)usleep(300000 * test_scale());
    stop(thread);
    CHECK_GT(words.added, 0);
    close_words();
}

TEST_CASE(restart, what_a_closer_takes_is_final)
{
    pthread_t thread[THREADS];

    open_words();
    start(thread);
    for (unsigned i = 0; i < 3000 * test_scale(); i++) {
        (void)__atomic_exchange_n(&words.mode, CLOSED, __ATOMIC_SEQ_CST);
        REQUIRE(pm_restart_all());
        words.taken += take_all();
        REQUIRE_EQ(take_all(), 0, "added to closed words, round %u", i);
        (void)usleep(i % 32);
        REQUIRE_EQ(take_all(), 0, "added to closed words, round %u", i);
        (void)__atomic_exchange_n(&words.mode, OPEN, __ATOMIC_SEQ_CST);
        (void)usleep(i % 8);
    }
    stop(thread);
    CHECK_GT(words.added, 0);
    close_words();
}

static uint64_t closed_in_handler;

static void close_in_handler(int signal)
{
    (void)signal;
    (void)__atomic_exchange_n(&words.mode, CLOSED, __ATOMIC_SEQ_CST);
    words.taken += take_all();
    (void)pm_or_full(&closed_in_handler, 1);
}

/* A handler closes below the addition that it interrupted, with no need to restart its own thread. */
TEST_CASE(restart, a_handler_is_noticed)
{
    struct sigaction action = {.sa_handler = close_in_handler, .sa_flags = SA_RESTART}, old;
    struct itimerval once = {.it_value = {.tv_usec = 50}};

    open_words();
    REQUIRE_EQ(sigaction(SIGALRM, &action, &old), 0);
    for (unsigned i = 0; i < 300 * test_scale(); i++) {
        (void)__atomic_exchange_n(&closed_in_handler, 0, __ATOMIC_SEQ_CST);
        REQUIRE_EQ(setitimer(ITIMER_REAL, &once, NULL), 0);
        while (pm_load_relaxed(&closed_in_handler) == 0) {
            words.added += pm_restart_add(words.first, &words.mode, OPEN, 1);
        }
        REQUIRE_EQ(words.taken, words.added, "after %u signals", i + 1);
        REQUIRE_EQ(take_all(), 0);
        (void)__atomic_exchange_n(&words.mode, OPEN, __ATOMIC_SEQ_CST);
    }
    REQUIRE_EQ(sigaction(SIGALRM, &old, NULL), 0);
    close_words();
}
