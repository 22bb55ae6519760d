// SPDX-License-Identifier: BSD-2-Clause
/* The contract of lib/percpu-refcount.c, whole, with the threads and handlers that hammer it: hence its length. */
#define _GNU_SOURCE /* CPU_SET */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "pagemap/percpu_ref.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"

struct counted {
    struct percpu_ref ref;
    uint64_t released, confirmed, successes_after_confirm;
};

static void count_release(struct percpu_ref *ref)
{
    (void)__atomic_fetch_add(&((struct counted *)(void *)ref)->released, 1, __ATOMIC_SEQ_CST);
}

static void count_confirm(struct percpu_ref *ref)
{
    (void)__atomic_fetch_add(&((struct counted *)(void *)ref)->confirmed, 1, __ATOMIC_SEQ_CST);
}

static uint64_t loaded(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

TEST_CASE(percpu_ref, lives_and_dies)
{
    struct counted c = {0};

    warnings_count();
    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, 0), 0);
    CHECK_EQ(percpu_ref_count(&c.ref), 1);
    CHECK(!percpu_ref_is_zero(&c.ref));
    CHECK(!percpu_ref_is_dying(&c.ref));
    percpu_ref_get(&c.ref);
    percpu_ref_get_many(&c.ref, 9);
    CHECK(percpu_ref_tryget(&c.ref));
    CHECK(percpu_ref_tryget_many(&c.ref, 2));
    CHECK(percpu_ref_tryget_live(&c.ref));
    CHECK_EQ(percpu_ref_count(&c.ref), 15);
    percpu_ref_put_many(&c.ref, 10);
    CHECK_EQ(percpu_ref_count(&c.ref), 5);

    percpu_ref_kill(&c.ref);
    CHECK(percpu_ref_is_dying(&c.ref));
    CHECK_EQ(percpu_ref_count(&c.ref), 4);
    CHECK(!percpu_ref_tryget_live(&c.ref));
    CHECK(percpu_ref_tryget(&c.ref), "tryget fails at zero only");
    percpu_ref_put_many(&c.ref, 4);
    CHECK_EQ(c.released, 0);
    percpu_ref_put(&c.ref);
    CHECK_EQ(c.released, 1);
    CHECK(percpu_ref_is_zero(&c.ref));
    CHECK(!percpu_ref_tryget(&c.ref));

    percpu_ref_exit(&c.ref);
    CHECK(percpu_ref_is_zero(&c.ref), "stashed by exit");
    CHECK(!percpu_ref_tryget(&c.ref));
    percpu_ref_exit(&c.ref);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(percpu_ref, exit_stashes_a_count_that_is_not_zero)
{
    struct counted c = {0};

    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, PERCPU_REF_INIT_ATOMIC), 0);
    percpu_ref_get_many(&c.ref, 6);
    percpu_ref_exit(&c.ref);
    CHECK(!percpu_ref_is_zero(&c.ref));
    CHECK_EQ(percpu_ref_count(&c.ref), 7);
}

TEST_CASE(percpu_ref, init_flags)
{
    struct counted c = {0};

    CHECK_EQ(percpu_ref_init(NULL, NULL, 0), -EINVAL);
    CHECK_EQ(percpu_ref_init(&c.ref, NULL, 8), -EINVAL);

    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, PERCPU_REF_INIT_DEAD), 0);
    CHECK(percpu_ref_is_dying(&c.ref));
    CHECK(percpu_ref_is_zero(&c.ref));
    CHECK(!percpu_ref_tryget(&c.ref));
    percpu_ref_reinit(&c.ref);
    CHECK(percpu_ref_tryget_live(&c.ref));
    CHECK_EQ(percpu_ref_count(&c.ref), 2);
    percpu_ref_put(&c.ref);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(c.released, 1);
    percpu_ref_exit(&c.ref);

    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, PERCPU_REF_INIT_ATOMIC), 0);
    CHECK(!percpu_ref_is_zero(&c.ref));
    percpu_ref_switch_to_percpu(&c.ref);
    percpu_ref_put(&c.ref);
    CHECK_EQ(c.released, 1, "in percpu mode nobody looks for zero");
    percpu_ref_get(&c.ref);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(c.released, 2);
    percpu_ref_exit(&c.ref);
}

TEST_CASE(percpu_ref, each_failing_step_of_init)
{
    struct counted c = {0};
    unsigned failed = 0;

    for (unsigned step = 1; step < 10; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = percpu_ref_init(&c.ref, NULL, 0);
        if (pm_fault_arm(0) == 0) {
            failed++;
            CHECK_EQ(error, -ENOMEM);
            CHECK_EQ(c.ref.data, NULL);
        } else {
            REQUIRE_EQ(error, 0);
            percpu_ref_kill(&c.ref);
            percpu_ref_exit(&c.ref);
            memset(&c.ref, 0, sizeof c.ref);
        }
    }
    CHECK_GE(failed, 2);
}

/* Bug 36: percpu_ref_exit() of a reference that was never initialised. */
TEST_CASE(percpu_ref, bug36_exit_of_never_initialised)
{
    struct percpu_ref ref;

    memset(&ref, 0, sizeof ref);
    percpu_ref_exit(&ref);
    percpu_ref_exit(NULL);
    CHECK_EQ(ref.data, NULL);
    CHECK_EQ(ref.percpu_count_ptr, 0, "left alone");
}

/* Bug 36: killed twice, as in aio, io_uring, cgroup and iscsi. The kernel then underflows. */
TEST_CASE(percpu_ref, bug36_killed_twice)
{
    struct counted c = {0};

    warnings_count();
    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, 0), 0);
    percpu_ref_get(&c.ref);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(warnings_take(), 0);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(percpu_ref_count(&c.ref), 1);
    CHECK_EQ(c.released, 0);
    percpu_ref_put(&c.ref);
    CHECK_EQ(c.released, 1);
    percpu_ref_exit(&c.ref);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(warnings_take(), 1, "after exit");
}

TEST_CASE(percpu_ref, illegal_revivals_warn_and_do_nothing)
{
    struct counted c = {0};

    warnings_count();
    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, PERCPU_REF_ALLOW_REINIT), 0);
    percpu_ref_reinit(&c.ref);
    CHECK_EQ(warnings_take(), 1, "alive");
    percpu_ref_resurrect(&c.ref);
    CHECK_EQ(warnings_take(), 1, "alive");
    CHECK_EQ(percpu_ref_count(&c.ref), 1);
    percpu_ref_get(&c.ref);
    percpu_ref_kill(&c.ref);
    percpu_ref_reinit(&c.ref);
    CHECK_EQ(warnings_take(), 1, "not zero");
    percpu_ref_resurrect(&c.ref);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(percpu_ref_count(&c.ref), 2);
    CHECK(percpu_ref_tryget_live(&c.ref));
    percpu_ref_put_many(&c.ref, 2);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(c.released, 1);
    percpu_ref_exit(&c.ref);

    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, 0), 0);
    percpu_ref_switch_to_atomic_sync(&c.ref);
    percpu_ref_switch_to_percpu(&c.ref);
    CHECK_EQ(warnings_take(), 1, "without ALLOW_REINIT");
    percpu_ref_kill(&c.ref);
    percpu_ref_exit(&c.ref);
}

TEST_CASE(percpu_ref, confirm_comes_after_sections_and_before_release)
{
    struct counted c = {0};

    warnings_count();
    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, 0), 0);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    percpu_ref_kill_and_confirm(&c.ref, count_confirm);
    CHECK_EQ(loaded(&c.confirmed), 0, "our section is open");
    CHECK_EQ(loaded(&c.released), 0, "the switch holds a reference");
    pagemap_read_unlock();
    pagemap_barrier();
    CHECK_EQ(loaded(&c.confirmed), 1);
    CHECK_EQ(loaded(&c.released), 1);
    percpu_ref_exit(&c.ref);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(percpu_ref, switches_and_confirms)
{
    struct counted c = {0};

    REQUIRE_EQ(percpu_ref_init(&c.ref, count_release, PERCPU_REF_ALLOW_REINIT), 0);
    percpu_ref_get_many(&c.ref, 41);
    for (unsigned i = 1; i <= 20; i++) {
        percpu_ref_switch_to_atomic(&c.ref, count_confirm);
        percpu_ref_switch_to_percpu(&c.ref); /* waits for the switch before */
        CHECK_EQ(loaded(&c.confirmed), i);
        CHECK_EQ(percpu_ref_count(&c.ref), 42);
    }
    percpu_ref_switch_to_atomic_sync(&c.ref);
    percpu_ref_switch_to_atomic(&c.ref, count_confirm);
    CHECK_EQ(loaded(&c.confirmed), 21, "at once, when it is atomic already");
    percpu_ref_put_many(&c.ref, 41);
    percpu_ref_kill(&c.ref);
    CHECK_EQ(c.released, 1);
    percpu_ref_exit(&c.ref);
}

enum { THREADS = 4, ROUNDS = 100 };

struct hammer {
    struct counted counted;
    uint64_t stop, started, reinits;
};

/* Every tryget_live reads `confirmed` first: a success must not follow it, unless it was revived between. */
static void *get_and_put(void *context)
{
    struct hammer *h = context;
    uint64_t gets = 0;

    while (!loaded(&h->stop)) {
        uint64_t reinits = loaded(&h->reinits);
        uint64_t confirmed = loaded(&h->counted.confirmed);

        if (percpu_ref_tryget_live(&h->counted.ref)) {
            if (gets++ == 0) {
                (void)__atomic_fetch_add(&h->started, 1, __ATOMIC_SEQ_CST);
            }
            if (confirmed && reinits == loaded(&h->reinits)) {
                (void)__atomic_fetch_add(&h->counted.successes_after_confirm, 1, __ATOMIC_SEQ_CST);
            }
            percpu_ref_get_many(&h->counted.ref, 3);
            percpu_ref_put(&h->counted.ref);
            percpu_ref_put_many(&h->counted.ref, 3);
        }
    }
    return NULL;
}

static void kill_and_reinit(struct hammer *h, unsigned round)
{
    percpu_ref_kill_and_confirm(&h->counted.ref, count_confirm);
    while (loaded(&h->counted.released) < round) {
        pagemap_barrier();
    }
    CHECK(percpu_ref_is_zero(&h->counted.ref));
    CHECK_EQ(loaded(&h->counted.successes_after_confirm), 0);
    (void)__atomic_exchange_n(&h->counted.confirmed, 0, __ATOMIC_SEQ_CST);
    (void)__atomic_fetch_add(&h->reinits, 1, __ATOMIC_SEQ_CST);
    percpu_ref_reinit(&h->counted.ref);
}

static void hammer_with(unsigned flags, bool switching)
{
    struct hammer h = {0};
    pthread_t threads[THREADS];
    unsigned released;

    REQUIRE_EQ(percpu_ref_init(&h.counted.ref, count_release, PERCPU_REF_ALLOW_REINIT | flags), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, get_and_put, &h), 0);
    }
    while (loaded(&h.started) < THREADS) {
        (void)sched_yield();
    }
    for (unsigned i = 1; i <= ROUNDS * test_scale(); i++) {
        if (switching) {
            percpu_ref_switch_to_atomic_sync(&h.counted.ref);
            percpu_ref_switch_to_percpu(&h.counted.ref);
        } else {
            kill_and_reinit(&h, i);
        }
    }
    (void)__atomic_exchange_n(&h.stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    released = switching ? 0 : ROUNDS * test_scale();
    CHECK_EQ(h.counted.released, released);
    CHECK_EQ(percpu_ref_count(&h.counted.ref), 1);
    percpu_ref_kill(&h.counted.ref);
    CHECK_EQ(h.counted.released, released + 1);
    percpu_ref_exit(&h.counted.ref);
}

TEST_CASE(percpu_ref, no_count_is_lost_while_it_switches)
{
    hammer_with(0, true);
}

TEST_CASE(percpu_ref, none_is_got_after_confirm)
{
    hammer_with(0, false);
}

TEST_CASE(percpu_ref, none_is_got_after_confirm_in_atomic_mode)
{
    hammer_with(PERCPU_REF_INIT_ATOMIC, false);
}

/* ---- restartable additions ---- */

/* Adds from any CPU, driven from one to the next, to be moved in the middle of an addition now and then. */
static void *get_and_put_everywhere(void *context)
{
    struct hammer *h = context;
    unsigned cpu = 0;

    while (!loaded(&h->stop)) {
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET(cpu++ % (unsigned)sysconf(_SC_NPROCESSORS_CONF), &one);
        (void)sched_setaffinity(0, sizeof one, &one); /* if it is ours to use */
        for (unsigned i = 0; i < 1000; i++) {
            percpu_ref_get_many(&h->counted.ref, 3);
            percpu_ref_put_many(&h->counted.ref, 2);
            percpu_ref_put(&h->counted.ref);
        }
        (void)__atomic_fetch_add(&h->started, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static struct hammer interrupted;

static void get_and_put_in_handler(int signal)
{
    (void)signal;
    percpu_ref_get(&interrupted.counted.ref);
    percpu_ref_put_many(&interrupted.counted.ref, 1);
}

/* More threads than CPUs, moved about and interrupted by handlers that add too. */
TEST_CASE(percpu_ref, no_addition_is_lost_to_moves_and_signals)
{
    struct sigaction action = {.sa_handler = get_and_put_in_handler, .sa_flags = SA_RESTART}, old;
    pthread_t threads[THREADS];

    REQUIRE_EQ(percpu_ref_init(&interrupted.counted.ref, count_release, 0), 0);
    REQUIRE_EQ(sigaction(SIGUSR1, &action, &old), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, get_and_put_everywhere, &interrupted), 0);
    }
    for (unsigned i = 0; i < 20000 * test_scale() || loaded(&interrupted.started) < 1000; i++) {
        (void)pthread_kill(threads[i % THREADS], SIGUSR1);
        if (i % 16 == 0) {
            (void)sched_yield();
        }
    }
    (void)__atomic_exchange_n(&interrupted.stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    REQUIRE_EQ(sigaction(SIGUSR1, &old, NULL), 0);
    CHECK_EQ(percpu_ref_count(&interrupted.counted.ref), 1);
    percpu_ref_kill(&interrupted.counted.ref);
    CHECK_EQ(interrupted.counted.released, 1);
    percpu_ref_exit(&interrupted.counted.ref);
}

/* Closes the words below an addition that it has interrupted. */
static void close_in_handler(int signal)
{
    (void)signal;
    percpu_ref_switch_to_atomic(&interrupted.counted.ref, NULL);
    (void)__atomic_exchange_n(&interrupted.stop, 1, __ATOMIC_SEQ_CST);
}

/* An addition that looked at the mode before a handler changed it must not go on as if nothing had been. */
TEST_CASE(percpu_ref, no_addition_is_lost_to_a_handler_that_switches)
{
    struct sigaction action = {.sa_handler = close_in_handler, .sa_flags = SA_RESTART}, old;
    struct itimerval once = {.it_value = {.tv_usec = 50}};
    uint64_t count = 1;

    interrupted = (struct hammer){0};
    REQUIRE_EQ(percpu_ref_init(&interrupted.counted.ref, count_release, PERCPU_REF_ALLOW_REINIT), 0);
    REQUIRE_EQ(sigaction(SIGALRM, &action, &old), 0);
    for (unsigned i = 0; i < 2000 * test_scale(); i++) {
        (void)__atomic_exchange_n(&interrupted.stop, 0, __ATOMIC_SEQ_CST);
        REQUIRE_EQ(setitimer(ITIMER_REAL, &once, NULL), 0);
        for (; !__atomic_load_n(&interrupted.stop, __ATOMIC_RELAXED); count++) {
            percpu_ref_get(&interrupted.counted.ref);
        }
        REQUIRE_EQ(percpu_ref_count(&interrupted.counted.ref), count, "after %u switches", i + 1);
        percpu_ref_switch_to_percpu(&interrupted.counted.ref);
    }
    REQUIRE_EQ(sigaction(SIGALRM, &old, NULL), 0);
    percpu_ref_put_many(&interrupted.counted.ref, count - 1);
    percpu_ref_kill(&interrupted.counted.ref);
    CHECK_EQ(interrupted.counted.released, 1);
    percpu_ref_exit(&interrupted.counted.ref);
}

/* Many references at once: they share chunks and must not share words. */
TEST_CASE(percpu_ref, many_references)
{
    enum { MANY = 1300 };
    static struct percpu_ref refs[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        REQUIRE_EQ(percpu_ref_init(&refs[i], NULL, 0), 0);
        percpu_ref_get_many(&refs[i], i);
    }
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(percpu_ref_count(&refs[i]), i + 1);
        percpu_ref_kill(&refs[i]);
        CHECK_EQ(percpu_ref_count(&refs[i]), i);
        percpu_ref_exit(&refs[i]);
    }
    pagemap_barrier();
}
