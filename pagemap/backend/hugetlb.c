// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"

enum { HUGE_SHIFT = 26 }; /* MFD_HUGE_SHIFT: where memfd_create() is told the size, as a power of two */

static const uint64_t USUAL_BYTES = UINT64_C(2) << 20, MIB = UINT64_C(1) << 20, GIB = UINT64_C(1) << 30;

/* "16 huge pages of 2 MiB". */
static void say(struct pagemap_memory *memory, const char *what, uint64_t pages)
{
    const uint64_t bytes = memory->granule, unit = bytes >= GIB ? GIB : bytes >= MIB ? MIB : 1024;

    (void)snprintf(memory->report, sizeof memory->report,
                   "hugetlb: %s %" PRIu64 " huge pages of %" PRIu64 " %s (hugepages-%" PRIu64 "kB)", what,
                   pages, bytes / unit,
                   unit == GIB   ? "GiB"
                   : unit == MIB ? "MiB"
                                 : "KiB",
                   bytes / 1024);
}

/* A mapping reserves its pages in the system's pool, so mapping it once tells whether there are enough. */
static int try_to_reserve(struct pagemap_memory *memory)
{
    void *address = mmap(NULL, memory->bytes, PROT_READ, MAP_SHARED, memory->fd, 0);

    if (address == MAP_FAILED) {
        int error = -errno;

        say(memory, "the pool lacks", memory->bytes / memory->granule);
        return error;
    }
    (void)munmap(address, memory->bytes);
    return 0;
}

int pm_open_hugetlb(struct pagemap_memory *memory, const struct pagemap_memory_options *options)
{
    uint64_t huge = options->huge_page_bytes != 0 ? options->huge_page_bytes : USUAL_BYTES;

    memory->bytes = options->bytes;
    memory->granule = huge;
    if (huge <= PAGE_SIZE || __builtin_popcountll(huge) != 1 || options->bytes % huge != 0) {
        return -EINVAL;
    }
    memory->fd = memfd_create("pagemap", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB |
                                             (unsigned)__builtin_ctzll(huge) << HUGE_SHIFT);
    if (memory->fd < 0) {
        int error = -errno;

        say(memory, "this system has no", memory->bytes / huge);
        return error;
    }
    if (ftruncate(memory->fd, (off_t)memory->bytes) != 0) {
        return -errno;
    }
    pm_seal(memory);
    return try_to_reserve(memory);
}
