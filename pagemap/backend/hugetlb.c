// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"

static const uint64_t HUGE_BYTES = UINT64_C(2) << 20;

#if !defined(MFD_HUGE_2MB)
#define MFD_HUGE_2MB (21U << 26)
#endif

/* A mapping reserves its pages in the system's pool, so mapping it once tells whether there are enough. */
static int try_to_reserve(struct pagemap_memory *memory)
{
    void *address = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);

    if (address == MAP_FAILED) {
        (void)snprintf(memory->report, sizeof memory->report,
                       "hugetlb: the pool (vm.nr_hugepages) lacks %" PRIu64 " huge pages of 2 MiB",
                       memory->bytes / HUGE_BYTES);
        return -errno;
    }
    (void)munmap(address, memory->bytes);
    return 0;
}

int pm_open_hugetlb(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    memory->bytes = options->bytes;
    memory->granule = HUGE_BYTES;
    if (options->bytes % HUGE_BYTES != 0) {
        return -EINVAL;
    }
    memory->fd = memfd_create("pagemap", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
    if (memory->fd < 0) {
        (void)snprintf(memory->report, sizeof memory->report, "hugetlb: no huge pages of 2 MiB here");
        return -errno;
    }
    return ftruncate(memory->fd, (off_t)memory->bytes) == 0 ? try_to_reserve(memory) : -errno;
}
