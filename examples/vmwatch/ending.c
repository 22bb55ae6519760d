// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* AT_EMPTY_PATH */
#include "examples/vmwatch/ending.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "examples/preload/filter.h"
#include "examples/vmwatch/check.h"
#include "examples/vmwatch/hook.h"
#include "examples/vmwatch/note.h"
#include "examples/vmwatch/start.h"

/*
 * Compares, and leaves all other threads held at the gate: until hook_open() the slot is this thread's, which may be
 * the one that gives it up. NULL: another one has.
 */
static struct slot *close_and_compare(void)
{
    bool closed = hook_close();
    struct slot *slot = note_slot();

    if (slot != NULL && closed) {
        check_run(slot);
    } else if (slot != NULL) {
        note_reason("a call was under way for seconds");
    }
    return slot;
}

/* Compares, if the process has a slot left, and leaves it in this state. */
static void compare_and_note(enum slot_state state, const char *reason)
{
    struct hook_signals signals;

    if (!start_is_done() || !hook_is_ours() || !hook_enter(&signals)) {
        return;
    }
    if (close_and_compare() != NULL) {
        if (reason != NULL) {
            note_reason(reason);
        }
        note_state(state);
    }
    hook_open();
    hook_leave(&signals);
}

void ending_exit(void)
{
    compare_and_note(SLOT_DONE, NULL);
}

void ending_asked(void)
{
    struct slot *slot = close_and_compare();

    if (slot != NULL) {
        slot->differed += slot->result.differ;
        /* Release: vmwatch sees the differences of the comparisons that it sees. */
        __atomic_store_n(&slot->comparisons, slot->comparisons + 1, __ATOMIC_RELEASE);
    }
    hook_open();
}

/* ---- another program ---- */

/* A search along PATH tries files that are not there; for these nothing is compared. */
static bool is_program(long number, const struct sys_args *args)
{
    bool is_at = number == SYS_execveat;
    uint64_t folder = is_at ? args->a[0] : (uint64_t)AT_FDCWD, path = is_at ? args->a[1] : args->a[0];

    return (is_at && (args->a[4] & AT_EMPTY_PATH) != 0) || sys4(SYS_faccessat, folder, path, X_OK, 0) == 0;
}

long ending_exec(long number, const struct sys_args *args)
{
    long result;

    if (!start_is_done() || !hook_is_ours() || !is_program(number, args)) {
        return sys_call(number, args);
    }
    compare_and_note(SLOT_EXEC, NULL);
    result = sys_call(number, args);
    note_state(SLOT_RUNNING); /* it failed */
    return result;
}

/* ---- a filter ---- */

/* What following and comparing come down to, with arguments as they will be. */
static const struct filter_call needed[] = {
    {SYS_getpid, {{0}}},
    {SYS_gettid, {{0}}},
    {SYS_rt_sigprocmask, {{2, SYS_PAGE, SYS_PAGE, 8}}},
    {SYS_rt_sigprocmask, {{FILTER_NO_SUCH_HOW, SYS_PAGE, 0, 8}}}, /* to look at the next filter */
    {SYS_fstat, {{3, SYS_PAGE}}},
    {SYS_readlink, {{SYS_PAGE, SYS_PAGE, 256}}},
    {SYS_lseek, {{3, 0, SEEK_SET}}},
    {SYS_read, {{3, SYS_PAGE, SYS_PAGE}}},
    {SYS_futex, {{SYS_PAGE, FUTEX_WAKE_PRIVATE, INT32_MAX}}},
    {SYS_futex, {{SYS_PAGE, FUTEX_WAIT_PRIVATE, 1}}},
    {SYS_nanosleep, {{SYS_PAGE}}},
    {SYS_faccessat, {{(uint64_t)AT_FDCWD, SYS_PAGE, X_OK}}},
    {SYS_mmap, {{0, SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1}}},
    {SYS_munmap, {{SYS_PAGE, SYS_PAGE}}},
    /* The map's own: whether other threads are there, and waiting for them. */
    {SYS_madvise, {{SYS_PAGE, SYS_PAGE, MADV_WIPEONFORK}}},
    {SYS_tgkill, {{1, 1, 0}}},
    {SYS_get_robust_list, {{1, SYS_PAGE, SYS_PAGE}}},
    {SYS_clock_gettime, {{~UINT64_C(0), SYS_PAGE}}},
    {SYS_sched_yield, {{0}}},
};

long ending_confine(long number, const struct sys_args *args)
{
    struct filter filter = filter_of_call(number, args);
    long result;

    if (filter.kind == FILTER_NONE || !start_is_done() || !hook_is_ours() || !filter_is_there(&filter) ||
        filter_passes(&filter, needed, sizeof needed / sizeof *needed)) {
        return sys_call(number, args);
    }
    compare_and_note(SLOT_RUNNING, "a seccomp filter forbids what following takes");
    start_set_done(false); /* also for the other threads, which may be under it at once */
    result = sys_call(number, args);
    if (filter_is_on(number, args, result)) {
        note_state(SLOT_DONE);
    } else { /* it was refused, and what was not followed meanwhile is asked for */
        note_reason("");
        hook_doubt();
        start_set_done(true);
    }
    return result;
}
