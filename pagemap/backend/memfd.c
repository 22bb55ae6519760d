// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/fault.h"

void pm_seal(struct pagemap_memory *memory)
{
    memory->is_sealed = fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

int pm_open_memfd(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    memory->bytes = options->bytes;
    memory->fd = pm_fault_here() ? (errno = ENOMEM, PM_NO_FD)
                                 : memfd_create("pagemap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory->fd < 0) {
        return -errno;
    }
    if (ftruncate(memory->fd, (off_t)memory->bytes) != 0) {
        return -errno;
    }
    pm_seal(memory);
    return 0;
}
