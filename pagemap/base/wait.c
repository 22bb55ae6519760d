// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/wait.h"

#include <pthread.h>
#include <time.h>

#include "pagemap/base/atomic.h"

enum { BUCKETS = 64 };

/* Waiters of all words that hash here; a wake-up tells them all, and each looks at its own condition. */
struct bucket {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t waiters;
} __attribute__((aligned(64)));

static struct bucket buckets[BUCKETS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_buckets(void)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < BUCKETS; i++) {
        (void)pthread_mutex_init(&buckets[i].lock, NULL);
        (void)pthread_cond_init(&buckets[i].changed, &monotonic);
    }
    (void)pthread_condattr_destroy(&monotonic);
}

static struct bucket *bucket_of(const void *word)
{
    uint64_t hash = (uint64_t)(uintptr_t)word * UINT64_C(0x9e3779b97f4a7c15);

    return &buckets[hash >> 58];
}

static struct timespec after(uint64_t milliseconds)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += (time_t)(milliseconds / 1000);
    time.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* `deadline` NULL: none. */
static bool wait_until(const void *word, pm_condition_fn *done, void *context,
                       const struct timespec *deadline)
{
    bool is_true, in_time = true;
    struct bucket *bucket = bucket_of(word);

    (void)pthread_once(&once, init_buckets);
    (void)pthread_mutex_lock(&bucket->lock);
    /* Full: before the condition's loads. A waker changes the word, then loads `waiters`. */
    (void)pm_add_full(&bucket->waiters, 1);
    while (!(is_true = done(context)) && in_time) {
        if (deadline == NULL) {
            (void)pthread_cond_wait(&bucket->changed, &bucket->lock);
        } else {
            in_time = pthread_cond_timedwait(&bucket->changed, &bucket->lock, deadline) == 0;
        }
    }
    (void)pm_sub_full(&bucket->waiters, 1);
    (void)pthread_mutex_unlock(&bucket->lock);
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

void pm_wake_var(const void *word)
{
    struct bucket *bucket = bucket_of(word);

    if (pm_load_full(&bucket->waiters) == 0) {
        return;
    }
    (void)pthread_mutex_lock(&bucket->lock);
    (void)pthread_cond_broadcast(&bucket->changed);
    (void)pthread_mutex_unlock(&bucket->lock);
}
