// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* RTLD_NEXT */
#include "test/epoch/kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test/shim/system_call.h"

struct kernel kernel;

void kernel_reset(void)
{
    kernel =
        (struct kernel){.clock_ns = 1000000000, .has_membarrier = true, .mapped_bytes = kernel.mapped_bytes};
}

static void tell(uint64_t ns, struct timespec *time)
{
    *time = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int (*next)(clockid_t, struct timespec *);

    if (kernel.clock_ns != 0) {
        tell(kernel.clock_ns, time);
        return 0;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, time);
}

static long answer(int error)
{
    errno = error;
    return error == 0 ? 0 : -1;
}

static long fence(long command)
{
    enum { PRIVATE_EXPEDITED = 1 << 3 };

    if (command != PRIVATE_EXPEDITED) {
        return 0;
    }
    kernel.fences++;
    if (kernel.at_fence != NULL) {
        kernel.at_fence();
    }
    return answer(kernel.fence_error);
}

static long cpu_time(struct timespec *time)
{
    tell(kernel.cpu_ns, time);
    return answer(kernel.cpu_ns != 0 ? 0 : EINVAL);
}

static bool is_gone(long number)
{
    return number == kernel.gone || (kernel.others_are_gone && number != getpid());
}

static void run_once(void (**what)(void))
{
    void (*runs)(void) = *what;

    *what = NULL;
    if (runs != NULL) {
        runs();
    }
}

static void count(long number, long argument)
{
    kernel.mapped_bytes += number == SYS_mmap ? argument : 0;
    kernel.mapped_bytes -= number == SYS_munmap ? argument : 0;
    kernel.wakes += number == SYS_futex && (argument & FUTEX_CMD_MASK) == FUTEX_WAKE;
    kernel.signals_held_off += number == SYS_rt_sigprocmask;
}

long syscall(long number, ...)
{
    long a[SYSTEM_CALL_ARGUMENTS];
    va_list list;

    va_start(list, number);
    system_call_arguments(list, a);
    va_end(list);
    if (kernel.has_membarrier && number == SYS_membarrier) {
        return fence(a[0]);
    }
    if (kernel.has_cpu_time && number == SYS_clock_gettime) {
        return cpu_time((struct timespec *)a[1]);
    }
    if (number == SYS_tgkill && is_gone(a[1])) {
        run_once(&kernel.at_gone);
        return answer(ESRCH);
    }
    if (kernel.refuses_pages && number == SYS_mmap) {
        run_once(&kernel.at_refusal);
        return answer(ENOMEM);
    }
    count(number, a[1]);
    return system_call(number, a);
}

int sched_yield(void)
{
    int (*next)(void);

    kernel.yields++;
    *(void **)&next = dlsym(RTLD_NEXT, "sched_yield");
    return next();
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    int (*next)(const struct timespec *, struct timespec *);

    kernel.pauses++;
    kernel.paused_ns += time->tv_sec * 1000000000 + time->tv_nsec;
    if (kernel.at_pause != NULL) {
        kernel.at_pause();
        return 0;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "nanosleep");
    return next(time, left);
}
