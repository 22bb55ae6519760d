// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/pcmap/tick.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "examples/preload/sys.h"

typedef void handler_fn(int number, siginfo_t *info, void *context);

/* The kernel's struct sigaction: libc's functions refuse this signal. */
struct action {
    handler_fn *handler;
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define RESTORER UINT64_C(0x04000000) /* SA_RESTORER */

static tick_fn *ticked;
static tick_request_fn *requested;
static handler_fn *libcs; /* NULL: it has none yet */

/* What a handler returns to. Unwinders know it by its instructions. */
void tick_return(void);
__asm__(".text\n"
        ".balign 16\n"
        "nop\n"
        ".hidden tick_return\n"
        ".globl tick_return\n"
        ".type tick_return, @function\n"
        "tick_return:\n"
        "mov $15, %rax\n"
        "syscall\n"
        ".size tick_return, . - tick_return\n");

static void on_signal(int number, siginfo_t *info, void *context)
{
    handler_fn *next = __atomic_load_n(&libcs, __ATOMIC_ACQUIRE);
    int saved = errno;

    if (info->si_code == SI_TIMER && info->si_value.sival_ptr == &ticked) {
        ticked(info, context);
    } else if (info->si_code == SI_USER || info->si_code == SI_QUEUE) {
        requested();
    } else if (next != NULL) {
        next(number, info, context);
    }
    errno = saved;
}

static bool set_action(void)
{
    struct action action = {.handler = on_signal,
                            .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | RESTORER,
                            .restorer = tick_return,
                            .mask =
                                ~UINT64_C(0)}; /* no other handler leaves a read section open by longjmp() */
    struct action before;

    if (sys4(SYS_rt_sigaction, TICK_SIGNAL, sys_bits(&action), sys_bits(&before), sizeof action.mask) != 0) {
        return false;
    }
    if ((uint64_t)(uintptr_t)before.handler > 1 &&
        before.handler != on_signal) { /* neither SIG_DFL nor SIG_IGN */
        __atomic_store_n(&libcs, before.handler, __ATOMIC_RELEASE);
    }
    return true;
}

/* Where libc has put its handler in front meanwhile, ticks were dropped by that. */
void tick_keep(void)
{
    struct action now;

    if (ticked != NULL && sys4(SYS_rt_sigaction, TICK_SIGNAL, 0, sys_bits(&now), sizeof now.mask) == 0 &&
        now.handler != on_signal) {
        (void)set_action();
    }
}

struct sigevent tick_event(int tid)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = TICK_SIGNAL;
    event.sigev_value.sival_ptr = &ticked;
    event._sigev_un._tid = tid;
    return event;
}

bool tick_begin(tick_fn *tick, tick_request_fn *request)
{
    ticked = tick;
    requested = request;
    return set_action();
}
