// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"

#if !defined(MAP_SYNC)
#define MAP_SYNC 0x80000
#endif
#if !defined(MAP_SHARED_VALIDATE)
#define MAP_SHARED_VALIDATE 3
#endif

/* It is granted on fsdax only, and refused elsewhere. */
int pm_try_sync(struct pagemap_memory *memory)
{
    const int flags = MAP_SHARED_VALIDATE | MAP_SYNC;
    void *address = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, flags, memory->fd, (off_t)memory->offset);

    if (address == MAP_FAILED) {
        return errno;
    }
    (void)munmap(address, PAGE_SIZE);
    memory->map_flags = flags;
    memory->is_sync = true;
    return 0;
}

static void try_sync(struct pagemap_memory *memory)
{
    int error = pm_try_sync(memory);

    if (error != 0) {
        (void)snprintf(memory->report, sizeof memory->report,
                       "file: MAP_SYNC refused (errno %d), stores need msync to be durable", error);
    } else {
        (void)snprintf(memory->report, sizeof memory->report, "file: with MAP_SYNC");
    }
}

int pm_open_file(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    struct stat status;

    memory->fd = open(options->path, O_RDWR | O_CLOEXEC | (options->bytes != 0 ? O_CREAT : 0), 0600);
    if (memory->fd < 0 || fstat(memory->fd, &status) != 0) {
        return -errno;
    }
    memory->bytes = options->bytes != 0 ? options->bytes : (uint64_t)status.st_size;
    if (memory->bytes == 0 || memory->bytes % PAGE_SIZE != 0) {
        return -EINVAL;
    }
    if ((uint64_t)status.st_size < memory->bytes && ftruncate(memory->fd, (off_t)memory->bytes) != 0) {
        return -errno;
    }
    try_sync(memory);
    return 0;
}
