// SPDX-License-Identifier: BSD-2-Clause
/* A stretch of a file that was there before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"

#if !defined(HUGETLBFS_MAGIC)
#define HUGETLBFS_MAGIC 0x958458f6
#endif

/* Its size, and what it is mapped in multiples of. */
static int measure(struct pagemap_memory *memory, uint64_t *size)
{
    struct stat status;
    struct statfs system;

    if (fstat(memory->fd, &status) != 0 || fstatfs(memory->fd, &system) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return pm_devdax_size(memory, size);
    }
    *size = (uint64_t)status.st_size;
    if ((uint64_t)system.f_type == HUGETLBFS_MAGIC) {
        memory->granule = (uint64_t)system.f_bsize;
    }
    return 0;
}

static int choose_stretch(struct pagemap_memory *memory, const struct pagemap_memory_options *options,
                          uint64_t size)
{
    const uint64_t left = size - options->offset; /* if it begins before the end */

    memory->offset = options->offset;
    memory->bytes = options->bytes != 0 ? options->bytes : left;
    return options->offset >= size || memory->bytes > left || memory->bytes >> MAX_PHYSMEM_BITS != 0 ||
                   (memory->offset | memory->bytes) % memory->granule != 0
               ? -EINVAL
               : 0;
}

/* As the device's memory will be: a descriptor for reading, or a seal, forbids it. */
static int try_to_map(const struct pagemap_memory *memory)
{
    void *address = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->fd,
                         (off_t)memory->offset);

    if (address == MAP_FAILED) {
        return -errno;
    }
    (void)munmap(address, memory->bytes);
    return 0;
}

static void describe(struct pagemap_memory *memory)
{
    int seals = fcntl(memory->fd, F_GET_SEALS);

    memory->is_sealed = memory->is_sync || (seals != -1 && (seals & F_SEAL_SHRINK) != 0);
    if (!memory->is_sync) { /* no device-dax */
        (void)pm_try_sync(memory);
    }
    (void)snprintf(memory->report, sizeof memory->report, "fd: %s%s",
                   memory->is_sealed ? "nobody can shrink it"
                                     : "not sealed: who shrinks the file takes the memory away (SIGBUS)",
                   memory->is_sync ? ", stores are durable" : "");
}

int pm_open_fd(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    uint64_t size = 0;
    int error;

    memory->fd = fcntl(options->fd, F_DUPFD_CLOEXEC, 0);
    if (memory->fd < 0) {
        return -errno;
    }
    error = measure(memory, &size);
    if (error != 0) {
        if (error == -ENODEV) {
            (void)snprintf(memory->report, sizeof memory->report,
                           "fd: neither a file nor a device-dax instance");
        }
        return error;
    }
    error = choose_stretch(memory, options, size);
    if (error != 0) {
        return error;
    }
    error = try_to_map(memory);
    if (error == 0) {
        describe(memory);
    }
    return error;
}
