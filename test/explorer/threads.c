// SPDX-License-Identifier: BSD-2-Clause
/* The threads of a run and the hooks that they come to: all of them work on one state, `run`, hence one file. */
#include "test/explorer/threads.h"

#include <string.h>

#include "rangemap/base/fence.h"
#include "test/explorer/buffers.h"
#include "test/explorer/coroutine.h"
#include "test/explorer/shadow.h"
#include "test/explorer/views.h"

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
    struct beginning {
        uint64_t *begin; /* NULL, or called, but has not touched anything shared yet */
        uint64_t *known;
    } beginning[SCHEDULE_THREADS];
    /* The ends of its operations: the thread's accesses up to there, and when. */
    struct ended {
        uint32_t number;
        uint64_t end;
    } ended[SCHEDULE_THREADS][THREADS_OPERATIONS];
    unsigned ends[SCHEDULE_THREADS];
    const void *accessed; /* what the thread that runs has come to a point for */
    struct view sent;     /* what ended operations have seen */
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

static bool is_inside(const void *word, const void *object, size_t bytes)
{
    return (uintptr_t)word - (uintptr_t)object < bytes;
}

/* What pollers look at. Where all stores are seen at once, sections begin and end in one step. */
static bool is_of_section(const void *word, const struct rm_thread *record)
{
    return processor.memory != THREADS_AT_ONCE &&
           (is_inside(word, &record->section, sizeof record->section) || word == &record->light);
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

    for (unsigned i = 0; processor.memory == THREADS_BUFFERS && i < THREADS_MAIN; i++) {
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

static bool is_weak(void)
{
    return processor.memory == THREADS_WEAK && run.schedule != NULL && run.current != THREADS_MAIN;
}

/* The end of the last operation of `other` that happened before what the thread does now. */
static uint64_t last_known(unsigned thread, unsigned other)
{
    unsigned i = run.ends[other];

    while (i > 0 && is_weak() && !views_happened(thread, other, run.ended[other][i - 1].number)) {
        i--;
    }
    return i > 0 ? run.ended[other][i - 1].end : 0;
}

/* In weak memory "ended before" must be said so that the threads know it, by what users have between their threads. */
static void has_begun(void)
{
    struct beginning *beginning = &run.beginning[run.current];

    if (beginning->begin == NULL) {
        return;
    }
    *beginning->begin = ++run.clock;
    beginning->begin = NULL;
    if (is_weak() && !processor.strangers) {
        views_receive(run.current, &run.sent);
    }
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        beginning->known[i] = last_known(run.current, i);
    }
}

/* A thread's own counters, which nobody reads during a run, and what changes in none but for hints. */
static bool is_dull(const void *word)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        if (is_inside(word, records[i], sizeof *records[i])) {
            return !is_of_section(word, records[i]) &&
                   !is_inside(word, &records[i]->shard, sizeof records[i]->shard);
        }
    }
    return is_inside(word, &explored->roster, sizeof explored->roster);
}

/* The word, said in such a way that it does not depend on which records and which memory this world got. */
static uint64_t name_of(const void *word)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        if (is_inside(word, records[i], sizeof *records[i])) {
            return (uint64_t)(i + 1) << 32 | ((uintptr_t)word - (uintptr_t)records[i]);
        }
    }
    return (uintptr_t)word - (is_inside(word, explored, sizeof *explored) ? (uintptr_t)explored : 0);
}

static bool is_buffered(void)
{
    return processor.memory == THREADS_BUFFERS && run.schedule != NULL && run.current != THREADS_MAIN;
}

void rm_explorer_point(const void *word)
{
    if (run.schedule != NULL && run.current != THREADS_MAIN) {
        if (is_dull(word)) {
            return;
        }
        run.next[run.current] = word;
        switch_threads();
        run.accessed = word;
        has_begun();
        run.fingerprint = prng_mix(run.fingerprint ^ name_of(word) ^ run.current);
    }
    shadow_touch(word);
    if (shadow_fault() != NULL && run.schedule != NULL && run.current != THREADS_MAIN) {
        switch_threads();
    }
}

void rm_explorer_touch(const void *word)
{
    run.accessed = word;
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

void rm_explorer_fence(void)
{
    if (is_buffered()) {
        buffers_fence();
    }
}

/* In either order; others go on between the interrupts. */
static void interrupt_all(void)
{
    unsigned caller = run.current;
    bool backwards = schedule_choose(run.schedule, 2) != 0;
    struct view begin = views_barrier_begin(caller);

    for (unsigned i = 0; i < THREADS_MAIN; i++) {
        unsigned thread = backwards ? THREADS_MAIN - 1 - i : i;

        if (thread != caller) {
            rm_explorer_point(NULL);
            views_barrier_interrupt(caller, &begin, thread);
        }
    }
}

bool rm_explorer_membarrier(void)
{
    if (!is_buffered() && !is_weak()) {
        return true;
    }
    rm_explorer_point(NULL);
    if (run.refusals > 0) {
        run.refusals--;
        return false;
    }
    if (is_weak() && !rm_broken(RM_FENCE_HEAVY)) {
        interrupt_all();
    } else if (!rm_broken(RM_FENCE_HEAVY)) {
        buffers_drain_all();
    }
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

void threads_begin(uint64_t *begin, uint64_t known[SCHEDULE_THREADS])
{
    run.beginning[run.current] = (struct beginning){begin, known};
}

uint64_t threads_end(uint64_t answer)
{
    unsigned thread = run.current;

    has_begun();
    if (is_weak()) {
        struct view sent = views_send(thread);

        view_join(&run.sent, &sent);
    }
    run.fingerprint = prng_mix(run.fingerprint ^ answer);
    run.ended[thread][run.ends[thread]++] = (struct ended){views_number(thread), ++run.clock};
    return run.clock;
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

/* ---- weak memory ---- */

/* What is dull is the thread's own, or a hint: the newest will do. */
static unsigned choose_message(unsigned options)
{
    unsigned choice = is_dull(run.accessed) ? 0 : schedule_choose(run.schedule, options);

    run.fingerprint = prng_mix(run.fingerprint ^ choice);
    return choice;
}

static bool is_followed(const void *address)
{
    return shadow_is_in_tree(address);
}

bool threads_is_record(const void *address)
{
    bool is = false;

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        is |= is_inside(address, records[i], sizeof *records[i]);
    }
    return is;
}

bool threads_is_weak(unsigned *thread)
{
    *thread = run.current;
    return is_weak();
}

void threads_will_access(const void *word)
{
    if (run.accessed != word && (shadow_holds(word) || threads_is_record(word))) {
        rm_explorer_point(word);
    }
    run.accessed = word;
}

void threads_have_accessed(void)
{
    run.accessed = NULL;
    if (views_fault() != NULL) {
        shadow_set_fault(views_fault());
        switch_threads();
    }
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
    views_reset(&(struct views_world){choose_message, is_followed});
    rm_broken_rule = broken;
    switch_threads();
    rm_broken_rule = RM_NO_RULE;
    run.schedule = NULL;
    buffers_drain_all();
    rm_word_set_private(&rm_fence_kind, RM_FENCE_ASYMMETRIC); /* it may have been refused */
    if (schedule->diverged) {
        shadow_set_fault("the same schedule led elsewhere: the explorer is not in control of everything");
    }
    shadow_set_thread(THREADS_MAIN);
    (void)rm_thread_become(records[THREADS_MAIN]);
    return run.point;
}
