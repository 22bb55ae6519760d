// SPDX-License-Identifier: BSD-2-Clause
/* What a kind of memory is to the rest of the library. One file per kind fills in `open`. */
#ifndef PAGEMAP_BACKEND_BACKEND_H
#define PAGEMAP_BACKEND_BACKEND_H

#include "pagemap/base/compiler.h"
#include "pagemap/memory.h"

enum { PM_NO_FD = -1 };

struct pagemap_memory {
    int fd;
    int map_flags; /* MAP_SHARED, or what MAP_SYNC needs */
    bool is_sync;
    bool is_sealed;  /* the file cannot be shrunk */
    bool is_devdax;  /* whose pages are as large as its granule: no smaller ones can be touched */
    uint64_t offset; /* of its first byte in the file */
    uint64_t bytes, granule;
    char report[160];
    /* Under the table's lock. */
    struct pagemap_memory *next; /* plugged in */
    phys_addr_t start;
    bool plugged;
    unsigned users;
};

/*
 * pre: *memory is zero but for fd PM_NO_FD, map_flags MAP_SHARED, granule PAGE_SIZE. Sets fd, bytes, and what else
 * differs. On failure the caller closes fd; `report` may say why.
 */
typedef int pm_open_fn(struct pagemap_memory *memory, const struct pagemap_memory_options *options);

PM_INTERNAL pm_open_fn pm_open_memfd, pm_open_hugetlb, pm_open_file, pm_open_devdax, pm_open_fd;

/* Seals a memfd that has its size: no process can shrink or grow it, or seal it against writing. */
PM_INTERNAL void pm_seal(struct pagemap_memory *memory);

/* Maps a page with MAP_SYNC and notes whether it was granted; the errno, or 0. */
PM_INTERNAL int pm_try_sync(struct pagemap_memory *memory);

/*
 * The size of the device-dax instance that is open as memory->fd, and its alignment as the granule. -ENODEV: it is
 * none.
 */
PM_INTERNAL int pm_devdax_size(struct pagemap_memory *memory, uint64_t *size);

/*
 * Maps [offset, offset + bytes) with `prot` at `address`, a part of an area (base/map.h), in place of what is there.
 * 0 or a negative errno. The lazy form has no page before it is touched, and is inaccessible for a moment, and after
 * a failure. pre: multiples of the granule.
 */
PM_INTERNAL int pm_memory_map(const struct pagemap_memory *memory, void *address, uint64_t offset,
                              uint64_t bytes, int prot);
PM_INTERNAL int pm_memory_map_lazily(const struct pagemap_memory *memory, void *address, uint64_t offset,
                                     uint64_t bytes, int prot);

/* Makes [offset, offset + bytes) read as zero, by a hole where the file can have holes. pre: whole pages. */
PM_INTERNAL int pm_memory_zero(const struct pagemap_memory *memory, uint64_t offset, uint64_t bytes);

/*
 * The one memory behind all of [start, start + bytes), used from now on, and the offset in it; NULL: none. pre: below
 * PHYSMEM_END.
 */
PM_INTERNAL struct pagemap_memory *pm_memory_use(phys_addr_t start, uint64_t bytes, uint64_t *offset);
PM_INTERNAL void pm_memory_unuse(struct pagemap_memory *memory);

#endif
