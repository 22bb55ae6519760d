// SPDX-License-Identifier: BSD-2-Clause
/* What the system says of memory that breaks. */
#ifndef PAGEMAP_TEST_BROKEN_H
#define PAGEMAP_TEST_BROKEN_H

#include <signal.h>
#include <stdint.h>
#include <string.h>

static inline siginfo_t broken(uintptr_t address, int shift, int code)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = SIGBUS;
    info.si_code = code;
    info.si_addr = (void *)address;
    info.si_addr_lsb = (short)shift;
    return info;
}

#endif
