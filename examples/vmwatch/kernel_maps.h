// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel says is mapped: /proc/self/maps, read without libc. */
#ifndef EXAMPLES_VMWATCH_KERNEL_MAPS_H
#define EXAMPLES_VMWATCH_KERNEL_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_range {
    uint64_t start, last;
    uint64_t offset, inode;
    uint32_t device; /* major << 20 | minor */
    uint8_t prot;
    bool shared;
    char name[256]; /* cut if longer */
    uint64_t name_length;
};

struct kernel_maps {
    int fd;
    unsigned at, end; /* what is left of the text */
    bool failed;
    char text[8192];
};

/* Large, so not for the stack of a program that this library visits. NULL: memory is out. Lock-free. */
struct kernel_maps *kernel_maps_open(void);

/* The next range upwards. False: there is none, or it could not be read (`failed`). */
bool kernel_maps_next(struct kernel_maps *maps, struct kernel_range *range);

/* False if anything could not be read. */
bool kernel_maps_close(struct kernel_maps *maps);

#endif
