// SPDX-License-Identifier: BSD-2-Clause
/* Touching memory that may not be there, and living on. */
#ifndef PAGEMAP_TEST_TOUCH_H
#define PAGEMAP_TEST_TOUCH_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "test/shim/ctest.h"

static _Thread_local sigjmp_buf touch_back;
static _Thread_local volatile sig_atomic_t touch_armed;

static inline void touch_caught(int signal_number)
{
    if (!touch_armed) {
        (void)signal(signal_number, SIG_DFL);
        (void)raise(signal_number);
    }
    siglongjmp(touch_back, signal_number);
}

/* Call it first. */
static inline void touch_install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = touch_caught;
    action.sa_flags = SA_NODEFER;
    (void)sigaction(SIGBUS, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
}

/* 0, and the byte in *value (may be NULL), or the signal that reading it raised. */
static inline int touch_read(const void *address, unsigned char *value)
{
    int caught = sigsetjmp(touch_back, 1);

    if (caught == 0) {
        unsigned char byte;

        touch_armed = 1;
        byte = *(const volatile unsigned char *)address;
        if (value != NULL) {
            *value = byte;
        }
    }
    touch_armed = 0;
    return caught;
}

static inline int touch_write(void *address, unsigned char value)
{
    int caught = sigsetjmp(touch_back, 1);

    if (caught == 0) {
        touch_armed = 1;
        *(volatile unsigned char *)address = value;
    }
    touch_armed = 0;
    return caught;
}

/* What write(2) from there says: 0 or an errno. */
static inline int touch_by_kernel(const void *address)
{
    int ends[2], error;

    REQUIRE_EQ(pipe(ends), 0);
    error = write(ends[1], address, 1) == 1 ? 0 : errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return error;
}

#endif
