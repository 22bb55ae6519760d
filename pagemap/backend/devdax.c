// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"

/* A number that the kernel shows for the device, or 0. */
static uint64_t attribute(dev_t device, const char *name)
{
    char path[80];
    uint64_t value = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/sys/dev/char/%u:%u/%s", major(device), minor(device), name);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%" SCNu64, &value) != 1) {
            value = 0;
        }
        (void)fclose(file);
    }
    return value;
}

int pm_open_devdax(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    struct stat status;
    uint64_t size;

    memory->fd = open(options->path, O_RDWR | O_CLOEXEC);
    if (memory->fd < 0 || fstat(memory->fd, &status) != 0) {
        return -errno;
    }
    size = S_ISCHR(status.st_mode) ? attribute(status.st_rdev, "size") : 0;
    memory->granule = S_ISCHR(status.st_mode) ? attribute(status.st_rdev, "align") : 0;
    if (size == 0 || memory->granule == 0) {
        (void)snprintf(memory->report, sizeof memory->report, "devdax: the path is no device-dax instance");
        return -ENODEV;
    }
    memory->bytes = options->bytes > 0 ? options->bytes : size;
    memory->is_sync = true; /* device-dax has no page cache */
    return memory->bytes > size || memory->bytes % memory->granule != 0 ? -EINVAL : 0;
}
