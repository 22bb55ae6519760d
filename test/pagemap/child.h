// SPDX-License-Identifier: BSD-2-Clause
/* Parts of tests that run in a child, whom the system may refuse what we still need. */
#ifndef PAGEMAP_TEST_CHILD_H
#define PAGEMAP_TEST_CHILD_H

#include <pthread.h>
#include <stdio.h>
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

/* For the child: its test is skipped. */
static inline void child_skip(const char *reason)
{
    (void)printf("skipped: %s\n", reason);
    (void)fflush(NULL);
    _exit(CHILD_SKIPS);
}

/* Runs `body` in a child; its CHECKs and REQUIREs count. */
static inline void child_run(void (*body)(void))
{
    struct child child = {body};
    int status = 0;
    pid_t process;

    (void)fflush(NULL);
    process = fork();
    if (process == 0) {
        child_main(&child);
    }
    REQUIRE_GT(process, 0);
    REQUIRE_EQ(waitpid(process, &status, 0), process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS) {
        TEST_SKIP("for the reason that the child gave");
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the child; its status is %#x", (unsigned)status);
}

#endif
