// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/gate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "examples/preload/status.h"

bool gate_is_shut(void)
{
    static enum { UNKNOWN, OPEN, SHUT } state; /* found out when the library is loaded, by one thread */

    if (state == UNKNOWN) {
        const char *harmless = getenv(gate_variable);
        struct status status;

        state = harmless != NULL && status_read(&status) && status.filters > strtoul(harmless, NULL, 10)
                    ? SHUT
                    : OPEN;
    }
    return state == SHUT;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    unsigned long a[6];
    va_list more;

    if (gate_is_shut()) {
        errno = ENOSYS;
        return -1;
    }
    va_start(more, number); /* those that were not passed are not looked at */
    for (unsigned i = 0; i < 6; i++) {
        a[i] = va_arg(more, unsigned long);
    }
    va_end(more);
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
