// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory without a file is asked for with -1 in place of one, and without an offset, as mmap(2) has it for all systems:
 * all mmap() of the program comes by the one file that has this. Not for sanitizers, which have their own.
 */
#ifndef PAGEMAP_TEST_ANONYMOUS_H
#define PAGEMAP_TEST_ANONYMOUS_H

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/pagemap/sanitized.h"

/* How often it was otherwise. */
static unsigned anonymous_wrongly;

#if !SANITIZED
void *mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    anonymous_wrongly += (flags & MAP_ANONYMOUS) != 0 && (fd != -1 || offset != 0);
    return (void *)syscall(SYS_mmap, address, bytes, prot, flags, fd, offset);
}
#endif

#endif
