// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/status.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "examples/preload/sys.h"

/* What is behind `name` at the start of a line, or NULL. */
static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL ? at + strlen(name) : NULL;
}

static uint32_t number(const char *at)
{
    uint32_t value = 0;

    for (; at != NULL && *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint32_t)(*at - '0');
    }
    return value;
}

bool status_read(struct status *status)
{
    long file = sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits("/proc/self/status"), O_RDONLY | O_CLOEXEC, 0);
    char text[4096];
    const char *name;
    long bytes;

    memset(status, 0, sizeof *status);
    if (sys_failed(file)) {
        return false;
    }
    bytes = sys3(SYS_read, (uint64_t)file, sys_bits(text), sizeof text - 1);
    (void)sys3(SYS_close, (uint64_t)file, 0, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    status->pid = number(field(text, "\nPid:\t"));
    status->filters = number(field(text, "\nSeccomp_filters:\t"));
    name = field(text, "Name:\t");
    for (size_t i = 0; name != NULL && name[i] != '\n' && i < sizeof status->name - 1; i++) {
        status->name[i] = name[i];
    }
    return status->pid != 0;
}
