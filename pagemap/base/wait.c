// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/wait.h"

#include <pthread.h>

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
    for (unsigned i = 0; i < BUCKETS; i++) {
        (void)pthread_mutex_init(&buckets[i].lock, NULL);
        (void)pthread_cond_init(&buckets[i].changed, NULL);
    }
}

static struct bucket *bucket_of(const void *word)
{
    uint64_t hash = (uint64_t)(uintptr_t)word * UINT64_C(0x9e3779b97f4a7c15);

    return &buckets[hash >> 58];
}

void pm_wait_var(const void *word, pm_condition_fn *done, void *context)
{
    struct bucket *bucket = bucket_of(word);

    (void)pthread_once(&once, init_buckets);
    (void)pthread_mutex_lock(&bucket->lock);
    /* Full: before the condition's loads. A waker changes the word, then loads `waiters`. */
    (void)pm_add_full(&bucket->waiters, 1);
    while (!done(context)) {
        (void)pthread_cond_wait(&bucket->changed, &bucket->lock);
    }
    (void)pm_sub_full(&bucket->waiters, 1);
    (void)pthread_mutex_unlock(&bucket->lock);
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
