// SPDX-License-Identifier: BSD-2-Clause
/* For tests with a syscall() in the place of libc's. They define _GNU_SOURCE, for RTLD_NEXT. */
#ifndef TEST_SHIM_SYSTEM_CALL_H
#define TEST_SHIM_SYSTEM_CALL_H

#include <dlfcn.h>
#include <stdarg.h>

/* As many as a system call may have. */
enum { SYSTEM_CALL_ARGUMENTS = 6 };

static inline void system_call_arguments(va_list list, long *a)
{
    for (unsigned i = 0; i < SYSTEM_CALL_ARGUMENTS; i++) {
        a[i] = va_arg(list, long);
    }
}

/* libc's own. */
static inline long system_call(long number, const long *a)
{
    long (*next)(long, ...);

    *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
