// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who owns an address, in a program that runs under libvmwatch.so. The library is preloaded, so a program finds
 * this function with dlsym(RTLD_DEFAULT, "vmwatch_owner"), or declares it weak.
 */
#ifndef EXAMPLES_VMWATCH_VMWATCH_H
#define EXAMPLES_VMWATCH_VMWATCH_H

#include <stdbool.h>
#include <stdint.h>

struct vmwatch_owner {
    uint64_t start, last; /* the mapping as far as it is alike, inclusive */
    uint64_t offset;      /* of `start` in the file, in bytes; 0 for anonymous memory */
    uint64_t inode;       /* of the file, or 0 */
    int prot;             /* PROT_READ and so on */
    bool shared;          /* MAP_SHARED */
    int tid;              /* the thread that mapped it; 0: it was there before the library */
    uint64_t mapped_by;   /* the code that called mmap, as an address; 0: not known */
    char name[256];       /* path, "[heap]", "[stack]" and the like; empty for anonymous memory */
};

typedef int vmwatch_owner_fn(const void *address, struct vmwatch_owner *owner);

/*
 * Writes who owns `address` to *owner. 0; -ENOENT: nobody; -ENOMEM: the thread's first call, and no memory;
 * -EAGAIN: the library does not follow this process. Any thread, also in signal handlers. Wait-free from the
 * thread's second call on.
 */
int vmwatch_owner(const void *address, struct vmwatch_owner *owner);

#endif
