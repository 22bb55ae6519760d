// SPDX-License-Identifier: BSD-2-Clause
/* Parts of tests that run in a child, whom the system may refuse what we still need. */
#ifndef PAGEMAP_TEST_CHILD_H
#define PAGEMAP_TEST_CHILD_H

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/shim/ctest.h"

struct child {
    void (*body)(void);
};

static inline void *child_thread(void *context)
{
    ((struct child *)context)->body();
    return NULL;
}

/* On a thread of its own, which is what a REQUIRE leaves. */
static inline void child_main(struct child *child)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, child_thread, child);

    if (error == 0) {
        error = pthread_join(thread, NULL);
    }
    (void)fflush(NULL);
    _exit(error != 0 || test_has_failed() ? 1 : 0);
}

enum { CHILD_SKIPS = 77 };

/* Where the child writes why its test is skipped. */
static int child_reason[2];

/* For the child: its test is skipped. */
static inline void child_skip(const char *reason)
{
    (void)dprintf(child_reason[1], "%s", reason);
    (void)fflush(NULL);
    _exit(CHILD_SKIPS);
}

/* What it has written, if anything; the pipe is closed. */
static inline void child_read_reason(char *reason, size_t bytes)
{
    ssize_t got;

    (void)close(child_reason[1]);
    got = read(child_reason[0], reason, bytes - 1);
    reason[got > 0 ? got : 0] = 0;
    (void)close(child_reason[0]);
}

/* Runs `body` in a child; its CHECKs and REQUIREs count. */
static inline void child_run(void (*body)(void))
{
    struct child child = {body};
    char reason[256];
    int status = 0;
    pid_t process;

    (void)fflush(NULL);
    REQUIRE_EQ(pipe(child_reason), 0);
    process = fork();
    if (process == 0) {
        child_main(&child);
    }
    REQUIRE_GT(process, 0);
    REQUIRE_EQ(waitpid(process, &status, 0), process);
    child_read_reason(reason, sizeof reason);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS) {
        TEST_SKIP("%s", reason);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the child; its status is %#x", (unsigned)status);
}

/*
 * In a child of a fork: whether it has a part of a view, or cannot tell. With system calls alone: other threads may
 * have had the C library's locks.
 */
static inline bool child_has_views(void)
{
    static char text[1 << 17];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;

    while (length < sizeof text - 1 && (got = read(file, text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = 0;
    return length == 0 || strstr(text, "/memfd:pagemap-absent") != NULL;
}

#endif
