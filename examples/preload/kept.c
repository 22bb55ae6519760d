// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/kept.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

enum { HIGH = 1000 }; /* numbers that programs do not expect to get, below all limits that matter */

/* The new number, or an error. */
static long copy_high(long fd)
{
    long copy = -1;

    for (uint64_t least = HIGH; least > 2 && copy < 0; least /= 2) {
        copy = sys3(SYS_fcntl, (uint64_t)fd, F_DUPFD_CLOEXEC, least);
    }
    return copy;
}

static struct kept describe(long fd)
{
    struct stat file;

    if (fd < 0 || sys3(SYS_fstat, (uint64_t)fd, sys_bits(&file), 0) != 0) {
        return KEPT_NONE;
    }
    return (struct kept){fd, file.st_dev, file.st_ino, S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)};
}

struct kept kept_copy(long fd)
{
    return describe(copy_high(fd));
}

struct kept kept_take(long fd)
{
    long copy = fd >= 0 ? copy_high(fd) : -1;

    if (copy >= 0) {
        (void)sys3(SYS_close, (uint64_t)fd, 0, 0);
        fd = copy;
    }
    return describe(fd);
}

bool kept_is(const struct kept *kept, long fd)
{
    struct kept other = describe(fd);

    return kept->fd >= 0 && other.fd >= 0 && other.device == kept->device && other.inode == kept->inode;
}

bool kept_is_there(const struct kept *kept)
{
    return kept_is(kept, kept->fd);
}

void kept_close(struct kept *kept)
{
    if (kept_is_there(kept)) {
        (void)sys3(SYS_close, (uint64_t)kept->fd, 0, 0);
    }
    kept->fd = -1;
}
