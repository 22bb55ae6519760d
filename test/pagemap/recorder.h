// SPDX-License-Identifier: BSD-2-Clause
/* A client that writes down what it is told. */
#ifndef PAGEMAP_TEST_RECORDER_H
#define PAGEMAP_TEST_RECORDER_H

#include <pthread.h>

#include "pagemap/fs.h"
#include "pagemap/pagemap.h"
#include "test/shim/ctest.h"

enum { RECORDS = 8 };

struct recorder {
    struct mmu_interval_notifier subscription;
    unsigned begun, ended;
    struct mmu_notifier_range range[RECORDS];
    unsigned long seq;
    struct address_space *file;                /* nobody has it locked in callbacks; may be NULL */
    void (*then)(struct recorder *recorder);   /* in the callback; may be NULL */
    void (*at_end)(struct recorder *recorder); /* likewise */
};

static inline struct recorder *recorder_of(struct mmu_interval_notifier *subscription)
{
    return (struct recorder *)(void *)subscription; /* its first member */
}

static inline void recorder_check_lock(struct recorder *recorder)
{
    bool is_free = recorder->file == NULL || pthread_mutex_trylock(&recorder->file->_lock) == 0;

    CHECK(is_free, "a client may use the file");
    if (recorder->file != NULL && is_free) {
        (void)pthread_mutex_unlock(&recorder->file->_lock);
    }
}

static inline bool recorder_begin(struct mmu_interval_notifier *subscription,
                                  const struct mmu_notifier_range *range, unsigned long cur_seq)
{
    struct recorder *recorder = recorder_of(subscription);

    CHECK(mmu_notifier_range_blockable(range));
    recorder_check_lock(recorder);
    CHECK_NE(cur_seq, recorder->seq, "a number of its own");
    recorder->seq = cur_seq;
    mmu_interval_set_seq(subscription, cur_seq);
    recorder->range[recorder->begun++ % RECORDS] = *range;
    if (recorder->then != NULL) {
        recorder->then(recorder);
    }
    return true;
}

static inline void recorder_end(struct mmu_interval_notifier *subscription,
                                const struct mmu_notifier_range *range)
{
    struct recorder *recorder = recorder_of(subscription);

    (void)range;
    recorder_check_lock(recorder);
    recorder->ended++;
    if (recorder->at_end != NULL) {
        recorder->at_end(recorder);
    }
}

static const struct mmu_interval_notifier_ops recorder_ops = {recorder_begin, recorder_end};

/* Told of addresses of views, or physical ones: [start, start + bytes). */
static inline void recorder_watch(struct recorder *recorder, bool physical, uint64_t start, uint64_t bytes)
{
    *recorder = (struct recorder){.then = NULL};
    CHECK_EQ(physical
                 ? pagemap_interval_notifier_insert(&recorder->subscription, start, bytes, &recorder_ops)
                 : mmu_interval_notifier_insert(&recorder->subscription, NULL, start, bytes, &recorder_ops),
             0);
}

/* That it was told once since the last look, of exactly this; or of nothing (bytes 0). */
static inline void recorder_check(struct recorder *recorder, enum mmu_notifier_event event, uint64_t start,
                                  uint64_t bytes)
{
    CHECK_EQ(recorder->begun, bytes == 0 ? 0u : 1u);
    CHECK_EQ(recorder->ended, recorder->begun);
    if (bytes > 0 && recorder->begun > 0) {
        CHECK_EQ(recorder->range[0].event, event);
        CHECK_EQ(recorder->range[0].start, start);
        CHECK_EQ(recorder->range[0].end, start + bytes);
    }
    recorder->begun = recorder->ended = 0;
}

static inline void recorder_leave(struct recorder *recorder)
{
    CHECK_EQ(mmu_interval_notifier_remove(&recorder->subscription), 0);
}

#endif
