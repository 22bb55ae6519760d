// SPDX-License-Identifier: BSD-2-Clause
/* What else happens to a process: forks and signals. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/pagemap/child.h"
#include "test/pagemap/stress/hardware.h"
#include "test/pagemap/stress/world.h"

uint64_t handled, forked;
unsigned fork_pauses = 1;

void take_signals(void)
{
    sigset_t alarms;

    REQUIRE_EQ(pagemap_read_lock(), 0);
    pagemap_read_unlock();
    (void)sigemptyset(&alarms);
    (void)sigaddset(&alarms, SIGALRM);
    (void)pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
}

/* On any of the threads, at any moment: a get and a put. */
static void visit_in_handler(int signal)
{
    static uint64_t next;
    int before = errno;
    uint64_t pfn = __atomic_fetch_add(&next, 37, __ATOMIC_RELAXED) % (DRIVERS * SLOT_MB * RIG_MB / PAGE_SIZE);
    struct page *page = pagemap_get_page(pfn);

    (void)signal;
    if (page != NULL) {
        put_page(page);
    }
    put_dev_pagemap(get_dev_pagemap(pfn, NULL));
    add(&handled, 1);
    errno = before;
}

/* What a child says. */
enum { HAS_VIEWS = 1, IS_TOLD = 2 };

/* Once at least, however late this thread gets a processor. */
void *fork_often(void *context)
{
    (void)context;
    take_signals();
    do {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            _exit((child_has_views() ? HAS_VIEWS : 0) + (hardware_is_told_in_child() ? IS_TOLD : 0));
        }
        if (child > 0) { /* else memory is short */
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK(WIFEXITED(status) && (WEXITSTATUS(status) & IS_TOLD) == 0, "a child's callback: %#x",
                  status);
            CHECK(WEXITSTATUS(status) == 0 || loaded(&is_cut_short) != 0, "a child with a view");
            add(&forked, 1);
        }
        for (unsigned i = 0; i < fork_pauses && !loaded(&stop); i++) {
            (void)usleep(5000);
        }
    } while (!loaded(&stop));
    return NULL;
}

void set_timer(long microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};

    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

void block_signals(void)
{
    sigset_t alarms;

    (void)sigemptyset(&alarms);
    (void)sigaddset(&alarms, SIGALRM);
    (void)pthread_sigmask(SIG_BLOCK, &alarms, NULL);
}

void start_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = visit_in_handler;
    action.sa_flags = SA_RESTART;
    REQUIRE_EQ(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(500);
}
