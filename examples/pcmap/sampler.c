// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* gettid, REG_RIP */
#include "examples/pcmap/sampler.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "examples/pcmap/objects.h"
#include "examples/pcmap/tick.h"
#include "examples/pcmap/unknown.h"

/* Read by the thread's signal handler. */
static _Thread_local struct {
    bool is_attached; /* set once it is, cleared before it is not */
    bool has_timer;
    timer_t timer;
} self __attribute__((tls_model("initial-exec")));

static pthread_key_t thread_key;
static uint64_t interval;  /* ns of CPU time */
static bool is_sampling;   /* handlers count */
static uint64_t threads;   /* that are or were sampled */
static uint64_t unsampled; /* threads that got no timer */
static uint64_t late; /* ticks whose signal came with a later one: the thread was found elsewhere by then */

static void add_one(uint64_t *counter)
{
    (void)__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
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
        (void)__atomic_fetch_add(&late, overrun, __ATOMIC_RELAXED);
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

static bool start_timer(void)
{
    struct itimerspec times = {{0, (long)interval}, {0, (long)interval}};
    struct sigevent event = tick_event(gettid());

    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &self.timer) != 0) {
        return false;
    }
    self.has_timer = timer_settime(self.timer, 0, &times, NULL) == 0;
    if (!self.has_timer) {
        (void)timer_delete(self.timer);
    }
    return self.has_timer;
}

void sampler_begin_thread(void)
{
    add_one(sampler_attach_thread() && start_timer() ? &threads : &unsampled);
}

/*
 * Runs before the map's own code gives the thread's record up, since libc goes by the order in which keys were made. What
 * other keys' destructors do afterwards is not sampled.
 */
static void on_thread_end(void *unused)
{
    (void)unused;
    if (self.has_timer) {
        self.has_timer = false;
        (void)timer_delete(self.timer);
    }
    self.is_attached = false;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a handler stops before it is detached */
    (void)rangemap_domain_detach(objects_domain);
}

/* ---- the process ---- */

bool sampler_prepare(uint64_t interval_ns)
{
    interval = interval_ns;
    return pthread_key_create(&thread_key, on_thread_end) == 0;
}

bool sampler_begin(void)
{
    __atomic_store_n(&is_sampling, true, __ATOMIC_RELAXED);
    return tick_begin(on_tick);
}

void sampler_end(void)
{
    __atomic_store_n(&is_sampling, false, __ATOMIC_RELAXED);
}

void sampler_after_fork(void)
{
    threads = unsampled = late = 0;
    self.has_timer = false;
    if (is_sampling && self.is_attached) {
        sampler_begin_thread();
    }
}

void sampler_remark(FILE *out)
{
    sigset_t blocked;

    (void)fprintf(out, "%" PRIu64 " thread%s, one sample every %" PRIu64 " us of CPU time\n", threads,
                  threads == 1 ? "" : "s", interval / 1000);
    if (late > 0) {
        (void)fprintf(out, "pcmap: %" PRIu64 " of them are where the thread was a little later\n", late);
    }
    if (unsampled > 0) {
        (void)fprintf(out, "pcmap: %" PRIu64 " threads got no timer\n", unsampled);
    }
    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, SIGPROF) == 1) {
        (void)fprintf(out,
                      "pcmap: the thread that ends the program blocks SIGPROF, so samples are missing\n");
    }
}
