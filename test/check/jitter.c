// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* SIGEV_THREAD_ID */
#include "test/check/jitter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc 2.36 does not name the member. */
#if !defined(sigev_notify_thread_id)
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { PAUSE_NANOSECONDS = 100000, SLEEP_NANOSECONDS = 20000 };

static _Thread_local timer_t timer __attribute__((tls_model("initial-exec")));

/* One shot at a time: were the thread interrupted again at once, it would get nowhere. */
static void set_timer(void)
{
    const struct itimerspec soon = {{0, 0}, {0, PAUSE_NANOSECONDS}};

    if (timer_settime(timer, 0, &soon, NULL)) {
        abort();
    }
}

static void sleep_here(int number)
{
    const struct timespec pause = {0, SLEEP_NANOSECONDS};
    int saved = errno;

    (void)number;
    nanosleep(&pause, NULL);
    set_timer();
    errno = saved;
}

void jitter_begin(void)
{
    struct sigaction action = {.sa_handler = sleep_here, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};

    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (sigaction(SIGUSR1, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &timer)) {
        abort();
    }
    set_timer();
}

/* The signal stays blocked: one may still be on its way, and its handler would use the timer. */
void jitter_end(void)
{
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    timer_delete(timer);
}
