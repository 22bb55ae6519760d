// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* SIGEV_THREAD_ID */
#include "test/check/jitter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc 2.36 does not name the member. */
#if !defined(sigev_notify_thread_id)
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { PERIOD_NANOSECONDS = 150000, SLEEP_NANOSECONDS = 20000 };

static void sleep_here(int number)
{
    const struct timespec pause = {0, SLEEP_NANOSECONDS};
    int saved = errno;

    (void)number;
    nanosleep(&pause, NULL);
    errno = saved;
}

void jitter_begin(struct jitter *jitter)
{
    struct sigaction action = {.sa_handler = sleep_here, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    const struct itimerspec often = {{0, PERIOD_NANOSECONDS}, {0, PERIOD_NANOSECONDS}};

    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (sigaction(SIGUSR1, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &jitter->timer) ||
        timer_settime(jitter->timer, 0, &often, NULL)) {
        abort();
    }
}

void jitter_end(struct jitter *jitter)
{
    timer_delete(jitter->timer);
}
