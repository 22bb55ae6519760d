// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/pcmap/tick.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define EXPORTED __attribute__((visibility("default")))

/* libc's own, by their other names: to look them up would not be safe in signal handlers, where these functions are. */
int __sigaction(int number, const struct sigaction *action, struct sigaction *old);
sighandler_t ssignal(int number, sighandler_t handler);

static tick_fn *ticked; /* NULL: SIGPROF is the program's */

/* What the program wants to be done: the latest of two, so that a handler never finds one half written. */
static struct sigaction wanted[2];
static unsigned latest;

static const struct sigaction *programs_action(void)
{
    return &wanted[__atomic_load_n(&latest, __ATOMIC_ACQUIRE) % 2];
}

/* The end that the program would have had. */
static void end_by_signal(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void)__sigaction(SIGPROF, &action, NULL);
    (void)raise(SIGPROF);
}

/* With the signals blocked that its handler would have had blocked. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    const struct sigaction *action = programs_action();
    sigset_t blocked = ((const ucontext_t *)context)->uc_sigmask;

    (void)sigorset(&blocked, &blocked, &action->sa_mask);
    (void)sigaddset(&blocked, SIGPROF);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, NULL);
    if ((action->sa_flags & SA_SIGINFO) != 0) {
        action->sa_sigaction(number, info, context);
    } else if (action->sa_handler == SIG_DFL) {
        end_by_signal();
    } else if (action->sa_handler != SIG_IGN) {
        action->sa_handler(number);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    if (info->si_code == SI_TIMER && info->si_value.sival_ptr == &ticked) {
        ticked(info, context);
    } else {
        pass_on(number, info, context);
    }
    errno = saved;
}

struct sigevent tick_event(int tid)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event.sigev_value.sival_ptr = &ticked;
    event._sigev_un._tid = tid;
    return event;
}

bool tick_begin(tick_fn *tick)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    (void)sigfillset(&action.sa_mask); /* no other handler leaves a read section open by longjmp() */
    ticked = tick;
    return __sigaction(SIGPROF, &action, &wanted[0]) == 0;
}

/* ---- in place of libc's ---- */

EXPORTED int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    const struct sigaction before = *programs_action();

    if (number != SIGPROF || ticked == NULL) {
        return __sigaction(number, action, old);
    }
    if (action != NULL) {
        unsigned next = __atomic_load_n(&latest, __ATOMIC_RELAXED) + 1;

        wanted[next % 2] = *action;
        __atomic_store_n(&latest, next, __ATOMIC_RELEASE);
    }
    if (old != NULL) {
        *old = before;
    }
    return 0;
}

EXPORTED sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction action, old;

    if (number != SIGPROF || ticked == NULL) {
        return ssignal(number, handler);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    (void)sigaction(number, &action, &old);
    return old.sa_handler;
}
