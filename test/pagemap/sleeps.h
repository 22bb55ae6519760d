// SPDX-License-Identifier: BSD-2-Clause
/* Whether another thread waits, as the system sees it: how long it has had for that says nothing on a busy machine. */
#ifndef PAGEMAP_TEST_SLEEPS_H
#define PAGEMAP_TEST_SLEEPS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a thread of this process. One that has not begun (0), or has ended, does not sleep. */
static inline bool thread_sleeps(int tid)
{
    char path[64], stat[256] = "";
    const char *name_end;
    int file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    file = tid != 0 ? open(path, O_RDONLY) : -1;
    if (file < 0) {
        return false;
    }
    (void)!read(file, stat, sizeof stat - 1);
    (void)close(file);
    name_end = strrchr(stat, ')');
    return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

#endif
