// SPDX-License-Identifier: BSD-2-Clause
/*
 * Device memory for other processes, as a file descriptor: what vhost-user and vfio-user send (kernel: dma-buf's
 * export). The other direction is PAGEMAP_FD in memory.h. docs/pagemap.md, section 5, says what a peer sees.
 */
#ifndef PAGEMAP_EXPORT_H
#define PAGEMAP_EXPORT_H

#include "pagemap/memremap.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The peer can map it for reading only. Guards against mistakes: a process of the same user can open it anew for
 * writing.
 */
#define PAGEMAP_EXPORT_READ_ONLY 1u

/* A stretch of device memory that was handed out. Members with an underscore are private. */
struct pagemap_export {
    int fd;           /* the caller's, close-on-exec: to be sent and closed, at any time */
    bool is_sealed;   /* the file cannot be shrunk; else any writer of it can: then touches are SIGBUS */
    uint64_t offset;  /* in the file: what mmap(2) is to be given */
    uint64_t bytes;   /* as asked for */
    uint64_t granule; /* the huge page, or PAGE_SIZE: mappings begin and end at its multiples */
    struct dev_pagemap *_pgmap;
};

/*
 * Hands out [start, start + bytes) (a page: PFN_PHYS(page_to_pfn(page)), PAGE_SIZE) to the peer that gets
 * exported->fd. Keeps a reference on the dev_pagemap, for which teardown waits, until pagemap_export_end(). It does
 * not keep the pages: pin them if truncation is to wait, too. *exported is written on success only. Errors:
 *
 *   -EINVAL      exported is NULL; bytes is 0; unknown flags; start or bytes no multiple of the granule
 *   -ENXIO       they do not all lie in one range of one live dev_pagemap, or are not all valid pages; or PRIVATE
 *                memory
 *   -EHWPOISON   one of them is poisoned
 *   or the system's: -EMFILE, -ENFILE; READ_ONLY: of open(2) in /proc/self/fd
 *
 * Takes a lock; not inside a read section, not in signal handlers.
 */
int pagemap_export(phys_addr_t start, uint64_t bytes, unsigned flags, struct pagemap_export *exported);

/*
 * The peer has unmapped it and closed the descriptor, or has died: teardown need not wait for it any more. A peer
 * that has not keeps access to the memory, also when another device has it. Does not close exported->fd. Nothing if
 * it was ended. Any thread, also in a read section.
 */
void pagemap_export_end(struct pagemap_export *exported);

#ifdef __cplusplus
}
#endif

#endif
