// SPDX-License-Identifier: BSD-2-Clause
/* Children that share memory, threads that block signals, change their user, or are made past libc. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/preload/trouble.h"

/* ---- children that share memory ---- */

static int exit_at_once(void *unused)
{
    (void)unused;
    _exit(0);
}

static void *mapped_by_child;

static int map_and_exit(void *unused)
{
    (void)unused;
    mapped_by_child = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _exit(0);
}

static void run_shared(int (*function)(void *), void *thread_area)
{
    char *stack = map_pages(64);
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (thread_area != NULL ? CLONE_SETTLS : 0), status = 1;
    pid_t child = clone(function, stack + 64 * PAGE, flags, NULL, NULL, thread_area, NULL);

    check(child > 0 && waitpid(child, &status, 0) == child, "clone");
    errno = 0;
    check(status == 0, "a child that shares memory");
    (void)munmap(stack, 64 * PAGE);
}

/* The area has nothing below it, where libraries' thread-local storage would be. */
void share(void)
{
    char *area = map_pages(3);
    pid_t child;
    int status;

    (void)mprotect(area, PAGE, PROT_NONE);
    run_shared(exit_at_once, area + PAGE);
    run_shared(exit_at_once, NULL);
    run_shared(map_and_exit, area + PAGE);
    for (unsigned i = 0; i < 100; i++) {
        child = vfork();
        if (child == 0) {
            _exit(0);
        }
        check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "vfork");
    }
    check(mapped_by_child != MAP_FAILED && msync(mapped_by_child, 3 * PAGE, MS_ASYNC) == 0,
          "what the child mapped");
}

/* ---- threads ---- */

static void *work_in_thread(void *unused)
{
    (void)unused;
    work(hot_blocked);
    return NULL;
}

/* As xz does it: the thread begins with all signals blocked. */
void block(void)
{
    sigset_t all, before;
    pthread_t thread;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    check(pthread_create(&thread, NULL, work_in_thread, NULL) == 0, "pthread_create");
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_join(thread, NULL);
}

/* libc has all threads change their user, by a signal of its own. */
void change_user(void)
{
    pthread_t thread[3];

    for (unsigned i = 0; i < 3; i++) {
        check(pthread_create(&thread[i], NULL, work_in_thread, NULL) == 0, "pthread_create");
    }
    for (unsigned i = 0; i < 100; i++) {
        check(setuid(getuid()) == 0, "setuid");
    }
    for (unsigned i = 0; i < 3; i++) {
        (void)pthread_join(thread[i], NULL);
    }
}

static void *allocate_for_ever(void *unused)
{
    void *volatile block; /* else the compiler leaves both calls out */

    (void)unused;
    for (;;) {
        block = malloc(100000);
        free(block);
    }
    return NULL;
}

/* Children not by fork(), while another thread may hold a lock of malloc(), and whoever waits for that has lost. */
void fork_raw_beside_malloc(void)
{
    pthread_t thread[2];
    int status = 1;

    for (unsigned i = 0; i < 2; i++) {
        check(pthread_create(&thread[i], NULL, allocate_for_ever, NULL) == 0, "pthread_create");
    }
    (void)alarm(300);
    for (unsigned i = 0; i < 50; i++) {
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

        if (child == 0) {
            _exit(0);
        }
        check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "clone");
    }
}

/* Threads that no library hears of. */
static int work_in_clone(void *unused)
{
    (void)unused;
    work(hot_blocked);
    (void)syscall(SYS_exit, 0);
    return 0;
}

void work_unseen(void)
{
    static int is_running = 1;
    char *stack = map_pages(64);
    char *area = map_pages(4);

    *(void **)(void *)(area + 2 * PAGE) = area + 2 * PAGE;
    check(clone(work_in_clone, stack + 64 * PAGE,
                CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_SETTLS | CLONE_CHILD_CLEARTID,
                NULL, NULL, area + 2 * PAGE, &is_running) > 0,
          "clone");
    while (__atomic_load_n(&is_running, __ATOMIC_ACQUIRE) != 0) {
        (void)usleep(10000);
    }
}
