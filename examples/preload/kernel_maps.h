// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel says is mapped: /proc/self/maps, read without libc. Async-signal-safe. */
#ifndef EXAMPLES_PRELOAD_KERNEL_MAPS_H
#define EXAMPLES_PRELOAD_KERNEL_MAPS_H

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

/* Large, so not for the stack of a program that somebody visits. */
struct kernel_maps {
    int fd;
    bool is_kept;     /* the one that was opened ahead, which has one reader at a time */
    unsigned at, end; /* what is left of the text */
    bool failed;
    char text[8192];
};

/*
 * Opens the file ahead, for when the process can open none any more: at the start, and in the child of a fork. A
 * program that closes it does without.
 */
void kernel_maps_keep(void);

/* Any number of readers at once. If it cannot be opened, it is `failed`. */
void kernel_maps_open(struct kernel_maps *maps);

/* The next range upwards. False: there is none, or it could not be read (`failed`). */
bool kernel_maps_next(struct kernel_maps *maps, struct kernel_range *range);

/* False if anything could not be read. */
bool kernel_maps_close(struct kernel_maps *maps);

#endif
