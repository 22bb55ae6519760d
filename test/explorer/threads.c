// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/threads.h"

#include <string.h>

#include "test/explorer/buffers.h"
#include "test/explorer/coroutine.h"
#include "test/explorer/shadow.h"

enum rm_rule rm_broken_rule = RM_NO_RULE;

static struct coroutine coroutines[SCHEDULE_THREADS];
static struct rm_thread *records[SCHEDULE_THREADS];
static const struct rangemap_domain *explored;
static struct threads_processor processor;

static struct run {
    struct schedule *schedule; /* NULL: nothing runs */
    threads_fn *body;
    unsigned current, runnable, point;
    unsigned refusals;
    const void *next[SCHEDULE_THREADS]; /* what it accesses when it goes on */
    uint64_t clock, fingerprint;
    uint64_t *beginning[SCHEDULE_THREADS]; /* called, but has not touched anything shared yet */
} run = {.current = THREADS_MAIN};

static void go_on_with(unsigned thread)
{
    unsigned before = run.current;

    if (thread != before) {
        run.current = thread;
        shadow_set_thread(thread);
        (void)rm_thread_become(records[thread]);
        buffers_run(thread);
        coroutine_switch(&coroutines[before], &coroutines[thread]);
    }
}

/* What pollers look at. Where all stores are seen at once, sections begin and end in one step. */
static bool is_of_section(const void *word, const struct rm_thread *record)
{
    return processor.buffers &&
           ((uintptr_t)word - (uintptr_t)&record->section < sizeof record->section || word == &record->light);
}

static bool is_of_any_section(const void *word)
{
    bool is = false;

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        is |= is_of_section(word, records[i]);
    }
    return is;
}

/*
 * The threads whose buffers may be drained now. When a store drains is a matter only of accesses to the same word by
 * others, so it is offered just before those. A poller's scan has no point of its own and reads all sections: it
 * follows an access to the section of some thread.
 */
static unsigned drainable(void)
{
    unsigned set = 0;

    for (unsigned i = 0; processor.buffers && i < THREADS_MAIN; i++) {
        const void *word = run.next[i];

        if ((run.runnable >> i & 1) != 0 && word != NULL) {
            set |= buffers_holding(is_of_any_section(word) ? NULL : word) & ~(1U << i);
        }
    }
    return set;
}

/* Before it chooses a thread, a schedule may choose buffers to drain. */
static unsigned choose_thread(void)
{
    unsigned next;

    for (;;) {
        next = schedule_next(run.schedule, run.point, run.current,
                             run.runnable | drainable() << SCHEDULE_THREADS);
        if (next < SCHEDULE_THREADS) {
            return next;
        }
        buffers_drain_one(next - SCHEDULE_THREADS);
    }
}

static void switch_threads(void)
{
    unsigned next = THREADS_MAIN; /* and, if there is a fault, never back */

    if ((run.runnable >> run.current & 1) != 0 && schedule_parks(run.schedule, run.current)) {
        run.runnable &= ~(1U << run.current);
    }
    if (run.point == SCHEDULE_POINTS) {
        shadow_set_fault("no end in sight: an update is retried for ever");
    }
    if (shadow_fault() == NULL && run.runnable != 0) {
        next = choose_thread();
    }
    run.point++;
    go_on_with(next);
}

static void has_begun(void)
{
    uint64_t *begin = run.beginning[run.current];

    if (begin != NULL) {
        run.beginning[run.current] = NULL;
        *begin = ++run.clock;
    }
}

/* A thread's own counters, which nobody reads during a run, and a sum that changes in none. */
static bool is_dull(const void *word)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        if ((uintptr_t)word - (uintptr_t)records[i] < sizeof(struct rm_thread)) {
            return !is_of_section(word, records[i]);
        }
    }
    return word == &explored->records;
}

static bool is_buffered(void)
{
    return processor.buffers && run.schedule != NULL && run.current != THREADS_MAIN;
}

void rm_explorer_point(const void *word)
{
    if (run.schedule != NULL && run.current != THREADS_MAIN) {
        if (is_dull(word)) {
            return;
        }
        run.next[run.current] = word;
        switch_threads();
        has_begun();
        run.fingerprint = prng_mix(run.fingerprint ^ (uintptr_t)word ^ run.current);
    }
    shadow_touch(word);
    if (shadow_fault() != NULL && run.schedule != NULL && run.current != THREADS_MAIN) {
        switch_threads();
    }
}

void rm_explorer_touch(const void *word)
{
    shadow_touch(word);
}

void rm_explorer_delay(const void *address, size_t bytes)
{
    if (is_buffered() && !is_dull(address)) {
        buffers_delay((void *)(uintptr_t)address, bytes);
    }
}

void rm_explorer_update(const void *word)
{
    rm_explorer_point(word);
    if (is_buffered() && rm_broken(RM_FENCE_EARNED) && word == &records[run.current]->light) {
        buffers_delay((void *)(uintptr_t)word, sizeof(rm_word)); /* as by a mere store */
    } else if (is_buffered()) {
        buffers_fence();
    }
}

void rm_explorer_fence(enum rm_rule rule)
{
    if (is_buffered() && !rm_broken(rule)) {
        buffers_fence();
    }
}

bool rm_explorer_membarrier(void)
{
    if (!is_buffered()) {
        return true;
    }
    rm_explorer_point(NULL);
    if (run.refusals > 0) {
        run.refusals--;
        return false;
    }
    if (!rm_broken(RM_FENCE_HEAVY)) {
        buffers_drain_all();
    }
    rm_explorer_point(&records[run.current]->section); /* the scan comes next */
    return true;
}

void rm_explorer_publish(const void *slot, uint64_t expected)
{
    if (run.schedule != NULL) {
        struct schedule_pending *pending = &run.schedule->pending[run.current];

        pending->is_publish = true;
        pending->slot = slot;
        pending->expected = expected;
    }
}

/* Time goes on with every point. */
uint64_t rm_explorer_tick(void)
{
    return run.schedule != NULL ? run.point : 0;
}

void rm_explorer_copying(bool begins)
{
    run.schedule->pending[run.current].is_copy = begins;
}

void threads_begin(uint64_t *begin)
{
    run.beginning[run.current] = begin;
}

uint64_t threads_end(uint64_t answer)
{
    has_begun();
    run.fingerprint = prng_mix(run.fingerprint ^ answer);
    return ++run.clock;
}

uint64_t threads_fingerprint(void)
{
    return run.fingerprint;
}

void threads_set(struct rm_thread *const record[SCHEDULE_THREADS], const struct rangemap_domain *domain,
                 struct threads_processor on)
{
    memcpy(records, record, sizeof records);
    explored = domain;
    processor = on;
    run.current = THREADS_MAIN;
    shadow_set_thread(THREADS_MAIN);
    (void)rm_thread_become(records[THREADS_MAIN]);
}

static void thread_main(void)
{
    unsigned self = run.current;

    coroutine_arrive(&coroutines[self]);
    run.body(self);
    run.runnable &= ~(1U << self);
    switch_threads();
}

unsigned threads_run(struct schedule *schedule, unsigned count, threads_fn *body, enum rm_rule broken)
{
    memset(&run, 0, sizeof run);
    run.schedule = schedule;
    run.body = body;
    run.current = THREADS_MAIN;
    run.runnable = (1U << count) - 1;
    run.refusals = processor.refusals;
    for (unsigned i = 0; i < count; i++) {
        if (coroutines[i].stack == NULL) {
            coroutine_create(&coroutines[i]);
        }
        coroutine_prepare(&coroutines[i], thread_main);
    }
    schedule_begin(schedule);
    buffers_reset();
    rm_broken_rule = broken;
    switch_threads();
    rm_broken_rule = RM_NO_RULE;
    run.schedule = NULL;
    buffers_drain_all();
    if (schedule->diverged) {
        shadow_set_fault("the same schedule led elsewhere: the explorer is not in control of everything");
    }
    shadow_set_thread(THREADS_MAIN);
    (void)rm_thread_become(records[THREADS_MAIN]);
    return run.point;
}
