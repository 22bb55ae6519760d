// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/pcmap/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "examples/preload/filter.h"
#include "examples/preload/process.h"

#define EXPORTED __attribute__((visibility("default")))

enum { CALLS = 24 };

/*
 * The calls of each group, with arguments as they will be; number 0, which is read(), ends them if it is not the
 * first.
 */
static const struct filter_call calls_of[CONFINE_GROUPS][CALLS] = {
    [CONFINE_SAMPLES] = {{SYS_rt_sigreturn, {{0}}},
                         /* The map's own: whether other threads are there, and waiting for them. */
                         {SYS_mmap,
                          {{0, SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1}}},
                         {SYS_munmap, {{SYS_PAGE, SYS_PAGE}}},
                         {SYS_madvise, {{SYS_PAGE, SYS_PAGE, MADV_WIPEONFORK}}},
                         {SYS_gettid, {{0}}},
                         {SYS_getpid, {{0}}},
                         {SYS_tgkill, {{1, 1, 0}}},
                         {SYS_get_robust_list, {{1, SYS_PAGE, SYS_PAGE}}},
                         {SYS_clock_gettime, {{~UINT64_C(0), SYS_PAGE}}},
                         {SYS_futex, {{SYS_PAGE, FUTEX_WAKE_PRIVATE, INT32_MAX}}},
                         {SYS_futex, {{SYS_PAGE, FUTEX_WAIT_PRIVATE, 1}}},
                         {SYS_nanosleep, {{SYS_PAGE}}},
                         {SYS_clock_nanosleep, {{CLOCK_REALTIME, 0, SYS_PAGE, 0}}},
                         {SYS_rt_sigprocmask, {{SIG_BLOCK, SYS_PAGE, SYS_PAGE, 8}}},
                         {SYS_rt_sigprocmask, {{SIG_SETMASK, SYS_PAGE, 0, 8}}},
                         {SYS_sched_yield, {{0}}}},
    [CONFINE_REPORT] = {{SYS_write, {{1000, SYS_PAGE, SYS_PAGE}}},
                        {SYS_mmap,
                         {{0, SYS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1}}},
                        {SYS_munmap, {{SYS_PAGE, SYS_PAGE}}},
                        {SYS_fstat, {{1000, SYS_PAGE}}},
                        {SYS_getpid, {{0}}},
                        {SYS_rt_sigprocmask,
                         {{FILTER_NO_SUCH_HOW, SYS_PAGE, 0, 8}}}, /* to look at the next */
                        {SYS_clock_gettime, {{CLOCK_PROCESS_CPUTIME_ID, SYS_PAGE}}}},
    [CONFINE_TIMERS] = {{SYS_gettid, {{0}}},
                        {SYS_timer_create, {{CLOCK_THREAD_CPUTIME_ID, SYS_PAGE, SYS_PAGE}}},
                        {SYS_timer_settime, {{0, 0, SYS_PAGE, 0}}},
                        {SYS_timer_delete, {{0}}},
                        {SYS_rt_sigaction, {{33, 0, SYS_PAGE, 8}}}},
    [CONFINE_LOOK] = {{SYS_read, {{3, SYS_PAGE, SYS_PAGE}}},
                      {SYS_openat, {{(uint64_t)AT_FDCWD, SYS_PAGE, O_RDONLY | O_CLOEXEC}}},
                      {SYS_sched_getaffinity, {{0, 128, SYS_PAGE}}},
                      {SYS_lseek, {{3, 0, SEEK_SET}}},
                      {SYS_close, {{3}}}},
    [CONFINE_ROOM] = {{SYS_madvise, {{SYS_PAGE, SYS_PAGE, MADV_POPULATE_WRITE}}}},
};

static uint32_t forbidden; /* bits by group */
static const struct confine_hooks *hooks;

bool confine_allows(enum confine_group group)
{
    return (__atomic_load_n(&forbidden, __ATOMIC_RELAXED) & 1U << group) == 0;
}

/* The groups that the filter does not let pass. */
static uint32_t refused_by(const struct filter *filter)
{
    uint32_t refused = 0;

    for (unsigned group = 0; group < CONFINE_GROUPS; group++) {
        size_t count = 1;

        while (count < CALLS && calls_of[group][count].number != 0) {
            count++;
        }
        if (!filter_passes(filter, calls_of[group], count)) {
            refused |= 1U << group;
        }
    }
    return refused;
}

static long result_of(long result)
{
    if (sys_failed(result)) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* The call, which may put a filter on. */
static long call_confining(long number, const struct sys_args *args)
{
    const uint32_t closing = 1U << CONFINE_SAMPLES | 1U << CONFINE_REPORT;
    struct filter filter = filter_of_call(number, args);
    uint32_t before = __atomic_load_n(&forbidden, __ATOMIC_RELAXED), refused;
    long result;

    /* What a child that shares our memory puts on is its own. */
    if (filter.kind == FILTER_NONE || hooks == NULL || !confine_allows(CONFINE_REPORT) ||
        process_kind() == PROCESS_STRANGER || !filter_is_there(&filter)) {
        return result_of(sys_call(number, args));
    }
    refused = refused_by(&filter) & ~before;
    if ((refused & closing) != 0 && (before & closing) == 0) {
        hooks->closing();
    }
    (void)__atomic_fetch_or(&forbidden, refused, __ATOMIC_RELAXED);
    result = sys_call(number, args);
    if (!filter_is_on(number, args, result)) {
        (void)__atomic_fetch_and(&forbidden, ~refused, __ATOMIC_RELAXED);
        if ((refused & closing) != 0 && (before & closing) == 0) {
            hooks->reopened();
        }
    }
    return result_of(result);
}

void confine_begin(const struct confine_hooks *given)
{
    hooks = given;
}

/* ---- in place of libc's ---- */

EXPORTED int prctl(int option, ...)
{
    struct sys_args args = {{(uint64_t)(unsigned)option}};
    va_list more;

    va_start(more, option); /* those that were not passed are not looked at */
    for (unsigned i = 1; i < 5; i++) {
        args.a[i] = va_arg(more, unsigned long);
    }
    va_end(more);
    return (int)call_confining(SYS_prctl, &args);
}

/* From syscall.S: seccomp, prctl, and a fork, which has no stack of its own and does not share memory. */
long confine_syscall(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
long confine_syscall(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct sys_args args = {{a, b, c, d, e, f}};
    long result;

    if (number == SYS_seccomp || number == SYS_prctl) {
        return call_confining(number, &args);
    }
    result = sys_call(number, &args);
    if (result == 0 && hooks != NULL) {
        hooks->forked();
    }
    return result_of(result);
}

int *confine_errno(void);
int *confine_errno(void)
{
    return &errno;
}
