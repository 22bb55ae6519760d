// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* REG_RIP */
#include "examples/pcmap/sampler.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "examples/pcmap/confine.h"
#include "examples/pcmap/objects.h"
#include "examples/pcmap/stacks.h"
#include "examples/pcmap/tick.h"
#include "examples/pcmap/unknown.h"
#include "examples/preload/sys.h"

enum { TIMERS = 4096 };

/* Read by the thread's signal handler. */
static _Thread_local struct {
    bool is_attached; /* set once it is, cleared before it is not */
    uint32_t *timer;  /* its place in the table, or NULL */
    uint32_t entered; /* what it wrote there: by now it may be another thread's */
} self __attribute__((tls_model("initial-exec")));

static pthread_key_t thread_key;
static uint64_t interval;        /* ns of CPU time */
static uint64_t begun_ns;        /* of the process's CPU time */
static bool is_sampling;         /* handlers count */
static uint64_t threads;         /* that are or were sampled */
static uint64_t unsampled;       /* threads that got no timer */
static uint64_t every_s, next_s; /* seconds between reports, and when the next one is due; 0: never */
static tick_request_fn *due;
static uint64_t late; /* ticks whose signal came with a later one: the thread was found elsewhere by then */

static void add_one(uint64_t *counter)
{
    (void)__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* Whether it is time for a report; one thread is told. By a clock that is read without a system call. */
static bool is_due(void)
{
    uint64_t next = __atomic_load_n(&next_s, __ATOMIC_RELAXED);
    struct timespec now;

    if (next == 0) {
        return false;
    }
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec >= next &&
           __atomic_compare_exchange_n(&next_s, &next, (uint64_t)now.tv_sec + every_s, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A sample stands for a period of CPU time, so one that is late stands for those that it comes with too. */
static void on_tick(const siginfo_t *info, const void *context)
{
    uint64_t pc = (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    if (self.is_attached && __atomic_load_n(&is_sampling, __ATOMIC_RELAXED)) {
        uint64_t overrun = (uint64_t)info->si_overrun;

        if (!objects_count(pc, 1 + overrun)) {
            unknown_count(pc, 1 + overrun);
        }
        stacks_sample(context, 1 + overrun);
        (void)__atomic_fetch_add(&late, overrun, __ATOMIC_RELAXED);
        if (is_due()) {
            due();
        }
    }
}

/* ---- threads ---- */

bool sampler_attach_thread(void)
{
    if (self.is_attached) {
        return true;
    }
    /* The key is among the first 32, so that libc need not call malloc. */
    if (rangemap_domain_attach(objects_domain) != 0 || pthread_setspecific(thread_key, &self) != 0) {
        return false;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* attached before a handler believes it */
    self.is_attached = true;
    return true;
}

/* ---- timers: by the kernel's own calls, so that all can be deleted by any thread ---- */

static uint32_t timers[TIMERS]; /* the kernel's number of each and one, or 0 */

/* If it is still there. */
static void delete_timer(uint32_t *place, uint32_t entered)
{
    if (entered != 0 &&
        __atomic_compare_exchange_n(place, &entered, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        (void)sys3(SYS_timer_delete, entered - 1, 0, 0);
    }
}

static bool enter_timer(uint32_t timer)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        uint32_t *place = &timers[(timer + i) % TIMERS], none = 0;

        if (__atomic_compare_exchange_n(place, &none, timer + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            self.timer = place;
            self.entered = timer + 1;
            return true;
        }
    }
    return false;
}

static bool start_timer(void)
{
    struct timespec period = {(time_t)(interval / 1000000000), (long)(interval % 1000000000)};
    struct itimerspec times = {period, period};
    struct sigevent event = tick_event((int)sys3(SYS_gettid, 0, 0, 0));
    int timer = -1;

    if (sys3(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, sys_bits(&event), sys_bits(&timer)) != 0) {
        return false;
    }
    if (sys4(SYS_timer_settime, (uint64_t)timer, 0, sys_bits(&times), 0) == 0 &&
        enter_timer((uint32_t)timer)) {
        return true;
    }
    (void)sys3(SYS_timer_delete, (uint64_t)timer, 0, 0);
    return false;
}

void sampler_begin_thread(void)
{
    bool is_sampled = confine_allows(CONFINE_TIMERS) && sampler_attach_thread() && start_timer();

    if (is_sampled && confine_allows(CONFINE_LOOK)) {
        stacks_note_thread();
    }
    add_one(is_sampled ? &threads : &unsampled);
}

/*
 * Runs before the map's own code gives the thread's record up, since libc goes by the order in which keys were made.
 * What other keys' destructors do afterwards is not sampled.
 */
static void on_thread_end(void *unused)
{
    (void)unused;
    if (self.timer != NULL && confine_allows(CONFINE_TIMERS)) {
        delete_timer(self.timer, self.entered);
        self.timer = NULL;
    }
    self.is_attached = false;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a handler stops before it is detached */
    (void)rangemap_domain_detach(objects_domain);
}

/* ---- the process ---- */

void sampler_report_every(uint64_t seconds, tick_request_fn *report)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    due = report;
    every_s = seconds;
    next_s = seconds != 0 ? (uint64_t)now.tv_sec + seconds : 0;
}

bool sampler_prepare(uint64_t interval_ns)
{
    interval = interval_ns;
    return pthread_key_create(&thread_key, on_thread_end) == 0;
}

static uint64_t cpu_ns(void)
{
    struct timespec now = {0, 0};

    (void)sys3(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, sys_bits(&now), 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool sampler_begin(tick_request_fn *request)
{
    __atomic_store_n(&is_sampling, true, __ATOMIC_RELAXED);
    begun_ns = cpu_ns();
    return tick_begin(on_tick, request);
}

void sampler_end(void)
{
    __atomic_store_n(&is_sampling, false, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < TIMERS; i++) {
        delete_timer(&timers[i], __atomic_load_n(&timers[i], __ATOMIC_RELAXED));
    }
}

void sampler_resume(void)
{
    __atomic_store_n(&is_sampling, true, __ATOMIC_RELAXED);
    sampler_begin_thread();
}

void sampler_after_fork(void)
{
    threads = unsampled = late = 0;
    begun_ns = 0;
    memset(timers, 0, sizeof timers);
    self.timer = NULL;
    if (is_sampling && self.is_attached) {
        sampler_begin_thread();
    }
}

/* Each thread has had less than an interval since its latest tick, and the clock is not exact. */
static uint64_t unsampled_ns(uint64_t samples)
{
    uint64_t used = cpu_ns() - begun_ns, seen = (samples + threads + unsampled + 5) * interval;

    return used > seen + used / 10 ? used - samples * interval : 0;
}

void sampler_remark(struct text *out, uint64_t samples)
{
    uint64_t missing_ms = unsampled_ns(samples) / 1000000;

    text_number(out, threads, 10);
    text_add(out, threads == 1 ? " thread, one sample every " : " threads, one sample every ");
    text_number(out, interval / 1000, 10);
    text_add(out, " us of CPU time\n");
    if (missing_ms > 0) {
        text_add(out, "pcmap: ");
        text_number(out, missing_ms, 10);
        text_add(out, " ms of CPU time are missing: of threads that were not sampled, or while signals were "
                      "held off\n");
    }
    if (late > 0) {
        text_add(out, "pcmap: ");
        text_number(out, late, 10);
        text_add(out, " of them are where the thread was a little later\n");
    }
    if (unsampled > 0) {
        text_add(out, "pcmap: ");
        text_number(out, unsampled, 10);
        text_add(out, " threads got no timer\n");
    }
}
