// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel says of this process, by calls that the dynamic linker makes too. */
#ifndef EXAMPLES_PRELOAD_STATUS_H
#define EXAMPLES_PRELOAD_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct status {
    uint32_t pid;     /* as the /proc has it that the process sees */
    uint32_t filters; /* seccomp filters that it is under; 0 where they are not counted, before Linux 5.9 */
    char name[32];    /* of the program, cut to 15 letters */
};

/* Reads /proc/self/status. False, and zeros: there is none. Async-signal-safe. */
bool status_read(struct status *status);

#endif
