// SPDX-License-Identifier: BSD-2-Clause
/*
 * The deadline of a wait: what the system is told, and when it is over, by a clock that stands where the test puts it.
 * clock_gettime() and syscall() are ours here.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pagemap/base/wait.h"
#include "test/pagemap/sanitized.h"
#include "test/shim/ctest.h"
#include "test/shim/system_call.h"

enum { MAX_SLEEPS = 8 };

static struct {
    bool on;
    struct timespec now;               /* of the clock */
    struct timespec wakes[MAX_SLEEPS]; /* where the clock is put by each sleep */
    unsigned sleeps, calls_to_wake, yields;
    struct timespec told[MAX_SLEEPS];
    int result, error; /* of a sleep */
    long slept_on;     /* the address */
} fake;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int (*next)(clockid_t, struct timespec *);

    if (fake.on && clock == CLOCK_MONOTONIC) {
        *time = fake.now;
        return 0;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, time);
}

static long fake_sleep(const struct timespec *deadline)
{
    unsigned sleep = fake.sleeps < MAX_SLEEPS ? fake.sleeps : MAX_SLEEPS - 1;

    fake.told[sleep] = deadline == NULL ? (struct timespec){-1, -1} : *deadline;
    fake.now = fake.wakes[sleep];
    fake.sleeps++;
    errno = fake.error;
    return fake.result;
}

int sched_yield(void)
{
    fake.yields += fake.on;
    return 0;
}

/* Everybody in this process who sleeps where the last one slept. */
static void check_wake(const long *a)
{
    CHECK_EQ(a[0], fake.slept_on);
    CHECK_EQ(a[1], FUTEX_WAKE | FUTEX_PRIVATE_FLAG);
    CHECK_EQ(a[2], INT_MAX);
    CHECK_EQ(a[3], 0);
    CHECK_EQ(a[4], 0);
    CHECK_EQ(a[5], 0);
}

static void check_sleep(const long *a)
{
    CHECK_EQ(a[1], FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG);
    CHECK_EQ(a[2], *(const uint32_t *)(uintptr_t)a[0]);
    CHECK_EQ(a[4], 0);
    CHECK_EQ((uint32_t)a[5], FUTEX_BITSET_MATCH_ANY);
    fake.slept_on = a[0];
}

long syscall(long number, ...)
{
    long a[SYSTEM_CALL_ARGUMENTS];
    va_list list;

    va_start(list, number);
    system_call_arguments(list, a);
    va_end(list);
    if (fake.on && number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        check_sleep(a);
        return fake_sleep((const struct timespec *)a[3]);
    }
    if (fake.on && number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAKE) {
        check_wake(a);
        fake.calls_to_wake++;
        errno = EINVAL;
        return -1;
    }
    return system_call(number, a);
}

static bool never(void *looks)
{
    ++*(unsigned *)looks;
    return false;
}

static struct timespec at(long seconds, long nanoseconds)
{
    return (struct timespec){seconds, nanoseconds};
}

/* A wait that begins at `begin`, is woken when the clock is at each of `wakes`, and is over at the last of `count`. */
static void check(struct timespec begin, uint64_t milliseconds, struct timespec deadline,
                  const struct timespec *wakes, unsigned count)
{
    static uint64_t word;
    unsigned looks = 0;

    fake.now = begin;
    fake.sleeps = 0;
    for (unsigned i = 0; i < MAX_SLEEPS; i++) {
        fake.wakes[i] = i < count ? wakes[i] : at(1000000, 0);
    }
    fake.on = true;
    CHECK(!pm_wait_var_for(&word, never, &looks, milliseconds));
    fake.on = false;
    CHECK_EQ(fake.sleeps, count, "%lu ms from %ld.%09ld", (unsigned long)milliseconds, (long)begin.tv_sec,
             begin.tv_nsec);
    CHECK_EQ(looks, count + 1, "and a last look");
    for (unsigned i = 0; i < fake.sleeps && i < MAX_SLEEPS; i++) {
        CHECK_EQ(fake.told[i].tv_sec, deadline.tv_sec, "%lu ms", (unsigned long)milliseconds);
        CHECK_EQ(fake.told[i].tv_nsec, deadline.tv_nsec, "%lu ms", (unsigned long)milliseconds);
    }
    CHECK_EQ(pm_waiters, 0);
}

static void skip_where_not_ours(void)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer has these calls");
    }
}

TEST_CASE(deadline, is_so_long_after_the_start)
{
    static const uint64_t lengths[] = {0, 1, 2, 999, 1000, 1001, 1999, 2000, 60000, UINT64_C(0xffffffff)};
    static const long starts[] = {0, 1, 999999, 1000000, 1000001, 500000000, 998999999, 999000000, 999999999};

    skip_where_not_ours();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
            uint64_t all = UINT64_C(7) * 1000000000 + (uint64_t)starts[k] + lengths[i] * 1000000;
            struct timespec deadline = at((long)(all / 1000000000), (long)(all % 1000000000));

            check(at(7, starts[k]), lengths[i], deadline, &deadline, 1);
        }
    }
}

/* Up to the last nanosecond it sleeps again, and from the deadline on no more. */
TEST_CASE(deadline, both_sides_of_it)
{
    const struct timespec before[] = {at(7, 0), at(8, 499999999), at(8, 500000000)};
    const struct timespec other_seconds[] = {at(7, 999999999), at(7, 500000000), at(9, 0)};
    const struct timespec late[] = {at(8, 500000001)}, much_later[] = {at(9, 499999999)};

    skip_where_not_ours();
    fake.result = 0;
    check(at(7, 500000000), 1000, at(8, 500000000), before, 3);
    check(at(7, 500000000), 1000, at(8, 500000000), other_seconds, 3);
    fake.result = -1;
    fake.error = ETIMEDOUT;
    check(at(7, 500000000), 1000, at(8, 500000000), late, 1);
    check(at(7, 500000000), 1000, at(8, 500000000), much_later, 1);
    fake.error = ENOSYS; /* a system that has no such call: others get their turn meanwhile */
    check(at(7, 500000000), 1000, at(8, 500000000), before, 3);
    fake.result = 0;
}

static bool third_time(void *looks)
{
    return ++*(unsigned *)looks == 3;
}

TEST_CASE(deadline, there_is_none)
{
    static uint64_t word;
    unsigned looks = 0;

    skip_where_not_ours();
    fake.sleeps = 0;
    fake.on = true;
    pm_wait_var(&word, third_time, &looks);
    fake.on = false;
    CHECK_EQ(fake.sleeps, 2);
    CHECK_EQ(fake.told[0].tv_sec, -1, "none");
    CHECK_EQ(pm_waiters, 0);
}

/* True at once, or at the last look: no matter what the clock says. */
TEST_CASE(deadline, what_is_true_is_in_time)
{
    static uint64_t word;
    unsigned looks = 2;

    skip_where_not_ours();
    fake.now = at(7, 0);
    fake.sleeps = 0;
    fake.wakes[0] = fake.wakes[1] = at(100, 0);
    fake.on = true;
    CHECK(pm_wait_var_for(&word, third_time, &looks, 10));
    CHECK_EQ(fake.sleeps, 0);
    looks = 1;
    CHECK(pm_wait_var_for(&word, third_time, &looks, 10));
    CHECK_EQ(fake.sleeps, 1);
    fake.on = false;
}

static const struct {
    int result, error;
    bool yields;
} ends[] = {{0, 0, false},          {0, ENOSYS, false}, {-1, EAGAIN, false}, {-1, EINTR, false},
            {-1, ETIMEDOUT, false}, {-1, ENOSYS, true}, {-1, EPERM, true}};

/* Others get their turn where the system does not let it sleep, and only there. */
TEST_CASE(deadline, each_end_of_a_sleep)
{
    const struct timespec once = at(8, 0);

    skip_where_not_ours();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        fake.yields = 0;
        fake.result = ends[i].result;
        fake.error = ends[i].error;
        check(at(7, 0), 1000, once, &once, 1);
        CHECK_EQ(fake.yields, ends[i].yields, "result %d, error %d", ends[i].result, ends[i].error);
    }
    fake.result = 0;
}

static uint64_t slept_on;

/* While somebody waits. */
static bool wake_once(void *unused)
{
    (void)unused;
    errno = 123;
    pm_wake_var(&slept_on);
    CHECK_EQ(errno, 123, "it may be a handler that wakes");
    return true;
}

/* The system is asked to wake while there are waiters, and only then. */
TEST_CASE(deadline, the_system_wakes_who_waits)
{
    unsigned looks;

    skip_where_not_ours();
    fake.calls_to_wake = 0;
    fake.on = true;
    pm_wake_var(&slept_on);
    pm_wake_var_slow(&slept_on);
    CHECK_EQ(fake.calls_to_wake, 0);
    looks = 1;
    pm_wait_var(&slept_on, third_time, &looks);
    pm_wait_var(&slept_on, wake_once, NULL);
    CHECK_EQ(fake.calls_to_wake, 1);
    pm_wake_var(&slept_on);
    pm_wake_var_slow(&slept_on);
    CHECK_EQ(fake.calls_to_wake, 1);
    fake.on = false;
}
