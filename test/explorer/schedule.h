// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which thread runs next. A schedule is the list of its switches: at which point (counted over all threads) it went
 * on with which thread. Written "0>1 17>0 40>2", it is all that a replay needs. One thread may be parked for ever:
 * "1!23" says that thread 1 never gets beyond its own 23rd point. Where threads have store buffers, "17~0" says that
 * the oldest store of thread 0 reached the others then. In weak memory "17=2" says that the 17th access that could
 * choose took the second newest but one.
 */
#ifndef RANGEMAP_TEST_EXPLORER_SCHEDULE_H
#define RANGEMAP_TEST_EXPLORER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "test/shim/prng.h"

enum {
    SCHEDULE_THREADS = 5,
    SCHEDULE_CHOICE = 2 * SCHEDULE_THREADS,
    SCHEDULE_OPTIONS = 32,
    SCHEDULE_SWITCHES = 2048,
    SCHEDULE_POINTS = 20000,
    SCHEDULE_DECISIONS = 8192
};

struct schedule_switch {
    unsigned point,
        thread; /* SCHEDULE_THREADS more: the buffer of that thread; from SCHEDULE_CHOICE on, a choice */
};

/* The compare-and-swap that a thread is about to make. */
struct schedule_pending {
    bool is_publish, is_copy;
    const void *slot;
    uint64_t expected;
};

/* Who is parked for ever, and before which of its own points (from 1 on; 0: nobody). */
struct schedule_park {
    unsigned thread, at;
    unsigned points; /* that it has come to so far */
};

enum schedule_policy {
    SCHEDULE_SYSTEMATIC, /* every schedule of at most `bound` preemptions, one after the other */
    SCHEDULE_RANDOM,
    SCHEDULE_REPLAY,
    SCHEDULE_ADVERSARY /* puts off every compare-and-swap that would complete an update */
};

struct schedule {
    enum schedule_policy policy;
    /* The switches made; of a replay, those to make. */
    unsigned switches, next_switch;
    struct schedule_switch at[SCHEDULE_SWITCHES];
    struct schedule_park park;
    unsigned accesses; /* that could choose */
    /* Systematic. Decision i took choice[i] of options[i]; the first `given` are repeated. */
    unsigned bound, preemptions;
    unsigned decisions, given;
    bool diverged; /* the options were others than the last time */
    uint8_t choice[SCHEDULE_DECISIONS], options[SCHEDULE_DECISIONS];
    /* Random. */
    struct prng prng;
    unsigned spacing; /* points between switches, on average */
    unsigned newest;  /* of so many accesses that can choose, one does not take the newest, on average */
    /* Adversary. */
    struct schedule_pending pending[SCHEDULE_THREADS];
    unsigned attempts, attempts_max; /* in vain, since an update was completed */
};

/* Before a run. */
void schedule_begin(struct schedule *schedule);

/* `current` comes to a point of its own: whether it is parked there. */
bool schedule_parks(struct schedule *schedule, unsigned current);

/* Whether it was parked, and did not end before. */
bool schedule_has_parked(const struct schedule *schedule);

/*
 * The thread to go on with at `point`. `current` can go on itself if it is among `runnable`. Bits from
 * SCHEDULE_THREADS on are of threads with stores in their buffers: one of these is chosen to drain one, and then it
 * is asked again.
 */
unsigned schedule_next(struct schedule *schedule, unsigned point, unsigned current, unsigned runnable);

/* What an access takes that has so many options; 0 is the newest. Another one counts as a preemption. */
unsigned schedule_choose(struct schedule *schedule, unsigned options);

/* After a systematic run: prepares the next one. False: that was the last. */
bool schedule_advance(struct schedule *schedule);

/* The text of the switches made, in a static buffer; and back. */
const char *schedule_text(const struct schedule *schedule);
bool schedule_parse(struct schedule *schedule, const char *text);

#endif
