// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory that stands behind physical addresses: a file of some kind, plugged in at an address. It is the
 * hardware of this library; memremap_pages() finds it there.
 */
#ifndef PAGEMAP_MEMORY_H
#define PAGEMAP_MEMORY_H

#include <stddef.h>

#include "pagemap/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pagemap_memory;

enum pagemap_memory_kind {
    PAGEMAP_MEMFD,   /* anonymous, sparse; the default */
    PAGEMAP_HUGETLB, /* anonymous, huge pages from the system's pool */
    PAGEMAP_FILE,    /* a file by path; persistent memory if its file system is fsdax */
    PAGEMAP_DEVDAX,  /* /dev/daxX.Y by path */
    PAGEMAP_FD       /* a stretch of an open file: memfd, file, hugetlbfs, device-dax */
};

struct pagemap_memory_options {
    enum pagemap_memory_kind kind;
    uint64_t bytes;   /* a multiple of the granule; 0 but for MEMFD and HUGETLB: to the end of the file */
    const char *path; /* FILE (created if absent, grown if shorter) and DEVDAX; else NULL */
    char *message;    /* may be NULL; what this machine cannot do, by name; "" on success, -EINVAL, -ENOMEM */
    size_t message_size;      /* in bytes, with the final 0 */
    int fd;                   /* FD: open for reading and writing; duplicated, and stays the caller's */
    uint64_t offset;          /* FD: where in the file the memory begins, a multiple of the granule; else 0 */
    uint64_t huge_page_bytes; /* HUGETLB: which pool: 0 is 2 MiB; 1 GiB or what else the system has; else 0 */
};

/*
 * Opens or makes the memory in *memory, owned by the caller. -EINVAL: bytes is 0 or no multiple of the granule,
 * larger than PHYSMEM_END, or a path is missing or superfluous, as offset and huge_page_bytes may be; the file of FD
 * ends before offset + bytes; -ENOMEM; -EOPNOTSUPP: the system's pages are larger than PAGE_SIZE (arm64 with 16 or 64
 * KiB); -ENODEV: FD is no such file; else the system's error (-ENOENT, -EACCES, ..). May wait, as the system calls
 * do.
 *
 * MEMFD and HUGETLB are sealed against growing and shrinking. The file of FD is never resized, and its position is
 * not moved. A process that may truncate an FD or FILE can take its memory away, for which touches are SIGBUS; of an
 * FD pagemap_memory_report() says whether one may.
 */
int pagemap_memory_create(const struct pagemap_memory_options *options, struct pagemap_memory **memory);

/* Ends it; NULL is allowed. -EBUSY: it is plugged in. The contents of a FILE or DEVDAX stay. */
int pagemap_memory_destroy(struct pagemap_memory *memory);

/* Its size, and what offsets and addresses in it must be multiples of, both in bytes. */
uint64_t pagemap_memory_bytes(const struct pagemap_memory *memory);
uint64_t pagemap_memory_granule(const struct pagemap_memory *memory);

/* Whether stores are durable once flushed from the caches (MAP_SYNC was granted). */
bool pagemap_memory_is_sync(const struct pagemap_memory *memory);

/*
 * How many bytes of ordinary or device memory the pages of its file occupy now (of FD: the whole file): sparse pages
 * cost nothing.
 */
uint64_t pagemap_memory_resident(const struct pagemap_memory *memory);

/* One line: the kind, and by name what it could not get on this machine. Valid as long as the memory. */
const char *pagemap_memory_report(const struct pagemap_memory *memory);

/*
 * Whether core dumps have the linear maps, views and struct pages that are mapped from now on. Off at first: a dump
 * would read, and so allocate, all of a sparse device. Returns what it was.
 */
bool pagemap_set_core_dump(bool on);

/*
 * Makes it answer at [start, start + bytes - 1]. -EINVAL: start is no multiple of the granule, or the end is
 * beyond PHYSMEM_END; -EBUSY: it is plugged in already; -EEXIST: other memory is there.
 */
int pagemap_memory_plug(struct pagemap_memory *memory, phys_addr_t start);

/* Takes it out. -EBUSY: a dev_pagemap uses it; -EINVAL: it is not plugged in. */
int pagemap_memory_unplug(struct pagemap_memory *memory);

#ifdef __cplusplus
}
#endif

#endif
