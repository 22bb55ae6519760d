// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/vmwatch/hook.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>

#include "examples/preload/kernel_maps.h"
#include "examples/preload/process.h"
#include "examples/vmwatch/ending.h"
#include "examples/vmwatch/follow.h"
#include "examples/vmwatch/note.h"
#include "examples/vmwatch/space.h"
#include "examples/vmwatch/start.h"

enum { OWN_CALLS = 8, PATIENCE_LOOKS = 20000 };

/* A mapping call that the map's own code made, from inside: entered once the map is at rest. */
struct own_call {
    long number;
    struct sys_args args;
    long result;
};

/* Read by signal handlers of the thread: `inside` is set while it is not open to them. */
static _Thread_local struct {
    bool inside;
    bool is_known; /* thread_key is set, so its end will be noticed */
    bool is_attached;
    bool is_ending; /* its records were given back once; do so after every call from now on */
    unsigned own_count;
    struct own_call own[OWN_CALLS];
} self __attribute__((tls_model("initial-exec")));

static pthread_key_t thread_key;

static uint32_t in_flight; /* calls under way */
static uint32_t is_closed; /* a futex: one thread at a time closes the gate, and opens it again */
static uint32_t is_stale;  /* a child that shares our memory has changed what is mapped */

/* ---- the gate ---- */

/*
 * Sequentially consistent, as in hook_close(): either the call sees the gate closed, or the closer sees it in flight.
 */
static void pass_gate(void)
{
    while (__atomic_add_fetch(&in_flight, 1, __ATOMIC_SEQ_CST),
           __atomic_load_n(&is_closed, __ATOMIC_SEQ_CST) != 0) {
        (void)__atomic_sub_fetch(&in_flight, 1, __ATOMIC_SEQ_CST);
        (void)sys4(SYS_futex, sys_bits(&is_closed), FUTEX_WAIT_PRIVATE, 1, 0);
    }
}

static void leave_gate(void)
{
    (void)__atomic_sub_fetch(&in_flight, 1, __ATOMIC_SEQ_CST);
}

bool hook_close(void)
{
    unsigned looks = 0;

    /* Somebody else has closed it and waits for us: let that go first. */
    while (__atomic_exchange_n(&is_closed, 1, __ATOMIC_SEQ_CST) != 0) {
        leave_gate();
        pass_gate();
    }
    while (__atomic_load_n(&in_flight, __ATOMIC_SEQ_CST) != 1 && looks++ < PATIENCE_LOOKS) {
        struct {
            long seconds, nanoseconds;
        } pause = {0, 100000};

        (void)sys3(SYS_nanosleep, sys_bits(&pause), 0, 0);
    }
    return looks <= PATIENCE_LOOKS;
}

void hook_open(void)
{
    __atomic_store_n(&is_closed, 0, __ATOMIC_SEQ_CST);
    (void)sys3(SYS_futex, sys_bits(&is_closed), FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* ---- forks ---- */

/*
 * The child has this thread alone. If others were in the middle of a call, it has their system calls or not, and
 * their updates of the map or not: ask the kernel.
 */
static void become_child(void)
{
    bool is_torn = __atomic_load_n(&in_flight, __ATOMIC_RELAXED) != 0;

    process_adopt();
    in_flight = 0;
    is_closed = 0;
    rangemap_after_fork_in_child();
    kernel_maps_keep();
    note_take(true);
    is_stale |= is_torn;
}

void hook_fork_child(void)
{
    struct hook_signals signals;

    if (!start_is_done()) {
        note_take(false); /* the parent is followed no longer, so that calls may be forbidden */
    } else {
        process_forked();
        if (hook_enter(&signals)) {
            hook_leave(&signals);
        }
    }
    note_birth();
}

/* ---- threads ---- */

static void on_thread_end(void *unused)
{
    struct hook_signals signals;

    (void)unused;
    self.is_ending = true;
    if (hook_enter(&signals)) {
        hook_leave(&signals);
    }
}

static void know_thread(void)
{
    if (!self.is_known) {
        self.is_known = true;
        /* Among the first 32 keys, for which libc has room in the thread: it does not call malloc. */
        (void)pthread_setspecific(thread_key, &self);
    }
}

/* ---- */

static void note_own(long number, const struct sys_args *args, long result)
{
    if (self.own_count < OWN_CALLS) {
        self.own[self.own_count++] = (struct own_call){number, *args, result};
    } else {
        space_lost++;
    }
}

static void enter_own(void)
{
    while (self.own_count > 0) {
        struct own_call call = self.own[--self.own_count];

        if (!sys_failed(call.result)) {
            follow_own(call.number, &call.args, call.result);
        }
    }
}

/* While nobody else changes anything. */
static void ask_for_all(void)
{
    (void)hook_close();
    space_ask_kernel(0, UINT64_MAX);
    hook_open();
}

bool hook_is_ours(void)
{
    return process_kind() != PROCESS_STRANGER;
}

/* Release: after the call, so that whoever takes it back asks later. */
void hook_doubt(void)
{
    __atomic_store_n(&is_stale, 1, __ATOMIC_RELEASE);
}

bool hook_enter(struct hook_signals *signals)
{
    static const struct hook_signals all = {~UINT64_C(0)};

    if (self.inside) {
        return false;
    }
    (void)sys4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, sys_bits(&all), sys_bits(signals), sizeof all);
    self.inside = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (process_is_child()) {
        become_child();
    }
    pass_gate();
    know_thread();
    self.is_attached = rangemap_domain_attach(rangemap_domain_of(space_map)) == 0;
    enter_own(); /* the thread's record: a comparison may follow at once */
    if (__atomic_load_n(&is_stale, __ATOMIC_RELAXED) != 0 &&
        __atomic_exchange_n(&is_stale, 0, __ATOMIC_ACQUIRE) != 0) {
        ask_for_all();
    }
    return true;
}

bool hook_is_attached(void)
{
    return self.is_attached;
}

void hook_leave(const struct hook_signals *signals)
{
    enter_own();
    if (self.is_ending) {
        self.is_attached = false;
        (void)rangemap_domain_detach(rangemap_domain_of(space_map));
    }
    leave_gate();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    self.inside = false;
    (void)sys4(SYS_rt_sigprocmask, 2, sys_bits(signals), 0, sizeof *signals);
}

/* The parent's thread of the same storage may be running meanwhile, so nothing is entered. */
static long call_of_stranger(long number, const struct sys_args *args)
{
    long result = sys_call(number, args);

    hook_doubt();
    return result;
}

long hook_call(long number, const struct sys_args *args, uint64_t caller)
{
    struct hook_signals signals;
    long result;

    if (!hook_is_ours()) {
        return call_of_stranger(number, args);
    }
    if (!hook_enter(&signals)) {
        result = sys_call(number, args);
        note_own(number, args, result);
        return result;
    }
    result = follow_call(number, args, caller);
    if (note_is_asked()) {
        enter_own();
        ending_asked();
    }
    hook_leave(&signals);
    return result;
}

bool hook_prepare(void)
{
    return pthread_key_create(&thread_key, on_thread_end) == 0;
}
