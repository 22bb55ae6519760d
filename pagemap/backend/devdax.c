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
    char path[sizeof "/sys/dev/char/4294967295:4294967295/align"];
    uint64_t value;
    bool has;
    FILE *file;

    (void)snprintf(path, sizeof path, "/sys/dev/char/%u:%u/%s", major(device), minor(device), name);
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    has = fscanf(file, "%" SCNu64, &value) == 1;
    (void)fclose(file);
    return has ? value : 0;
}

int pm_devdax_size(struct pagemap_memory *memory, uint64_t *size)
{
    struct stat status;

    if (fstat(memory->fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISCHR(status.st_mode)) {
        return -ENODEV;
    }
    *size = attribute(status.st_rdev, "size");
    memory->granule = attribute(status.st_rdev, "align");
    memory->is_devdax = true;
    memory->is_sync = true; /* device-dax has no page cache */
    return *size == 0 || memory->granule == 0 ? -ENODEV : 0;
}

int pm_open_devdax(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    uint64_t size = 0;
    int error;

    memory->fd = open(options->path, O_RDWR | O_CLOEXEC);
    error = memory->fd < 0 ? -errno : pm_devdax_size(memory, &size);
    if (error != 0) {
        if (error == -ENODEV) {
            (void)snprintf(memory->report, sizeof memory->report,
                           "devdax: the path is no device-dax instance");
        }
        return error;
    }
    memory->bytes = options->bytes != 0 ? options->bytes : size;
    memory->is_sealed = true; /* a device cannot be truncated */
    return memory->bytes > size || memory->bytes % memory->granule != 0 ? -EINVAL : 0;
}
