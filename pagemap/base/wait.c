// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/wait.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 64, HASH_SHIFT = 58 };

/* Waiters of all words that hash here; a wake-up tells them all, and each looks at its own condition. */
struct bucket {
    uint64_t waiters;
    uint32_t wakes; /* the futex */
} __attribute__((aligned(64)));

uint64_t pm_waiters;

static struct bucket buckets[BUCKETS];

static struct bucket *bucket_of(const void *word)
{
    return &buckets[(uint64_t)(uintptr_t)word * UINT64_C(0x9e3779b97f4a7c15) >> HASH_SHIFT];
}

static struct timespec now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static struct timespec after(uint64_t milliseconds)
{
    struct timespec time = now();

    time.tv_sec += (time_t)(milliseconds / 1000);
    time.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static bool is_over(const struct timespec *deadline)
{
    struct timespec time = now();

    return time.tv_sec > deadline->tv_sec ||
           (time.tv_sec == deadline->tv_sec && time.tv_nsec >= deadline->tv_nsec);
}

/* Until a wake-up after the `seen`th. A system that refuses futex(2) costs processor time, not correctness. */
static void sleep_on(struct bucket *bucket, uint32_t seen, const struct timespec *deadline)
{
    long result = syscall(SYS_futex, &bucket->wakes, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, deadline,
                          NULL, FUTEX_BITSET_MATCH_ANY);

    if (result != 0 && errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT) {
        (void)sched_yield();
    }
}

/* `deadline` NULL: none. */
static bool wait_until(const void *word, pm_condition_fn *done, void *context,
                       const struct timespec *deadline)
{
    struct bucket *bucket = bucket_of(word);
    bool is_true, in_time = true;

    /* Full: before the condition's loads. A waker changes the word, then loads both. */
    (void)pm_add_full(&bucket->waiters, 1);
    (void)pm_add_full(&pm_waiters, 1);
    for (;;) {
        uint32_t seen = __atomic_load_n(&bucket->wakes, __ATOMIC_SEQ_CST); /* before the condition's loads */

        is_true = done(context);
        if (is_true || !in_time) {
            break;
        }
        sleep_on(bucket, seen, deadline);
        in_time = deadline == NULL || !is_over(deadline);
    }
    (void)pm_sub_full(&pm_waiters, 1);
    (void)pm_sub_full(&bucket->waiters, 1);
    return is_true;
}

void pm_wait_var(const void *word, pm_condition_fn *done, void *context)
{
    (void)wait_until(word, done, context, NULL);
}

bool pm_wait_var_for(const void *word, pm_condition_fn *done, void *context, uint64_t milliseconds)
{
    struct timespec deadline = after(milliseconds);

    return wait_until(word, done, context, &deadline);
}

/* In a signal handler, errno is that of the code that it interrupted. */
void pm_wake_var_slow(const void *word)
{
    struct bucket *bucket = bucket_of(word);
    int before = errno;

    if (pm_load_full(&bucket->waiters) == 0) {
        return;
    }
    (void)__atomic_fetch_add(&bucket->wakes, 1, __ATOMIC_SEQ_CST);
    (void)syscall(SYS_futex, &bucket->wakes, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
    errno = before;
}
