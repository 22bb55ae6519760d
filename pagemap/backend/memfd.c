// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/fault.h"

int pm_open_memfd(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    memory->bytes = options->bytes;
    memory->fd = pm_fault_here() ? (errno = ENOMEM, -1) : memfd_create("pagemap", MFD_CLOEXEC);
    if (memory->fd < 0) {
        return -errno;
    }
    return ftruncate(memory->fd, (off_t)memory->bytes) == 0 ? 0 : -errno;
}
