// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the map says of a range: the value of each range is a region, which never changes and counts the ranges that
 * have it. The map owns them (retain and release), so a cut range shares its region with its parts: all that
 * depends on the start is `origin`, which parts have in common.
 */
#ifndef EXAMPLES_VMWATCH_REGION_H
#define EXAMPLES_VMWATCH_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"

struct region {
    uint32_t owners;    /* ranges, and whoever is making one */
    uint32_t next_free; /* in the list of free regions: offset in the arena */
    uint64_t serial;    /* the call that mapped it; parts with other protections keep it */
    uint64_t origin;    /* the address that offset 0 of the file would have */
    uint64_t inode;     /* 0: no file */
    uint64_t mapped_by;
    const char *name; /* never freed */
    uint32_t device;  /* major << 20 | minor */
    int tid;
    uint8_t prot;
    bool shared;
    bool grows_down;
};

/* A region with one owner and otherwise zero; NULL: out of memory. Lock-free. */
struct region *region_new(void);

/* A copy with one owner; NULL likewise. */
struct region *region_copy(const struct region *region);

/* Takes or gives up an ownership; these are the map's callbacks. */
void region_retain(void *region, void *unused);
void region_release(void *region, void *unused);

/* Whether two touching ranges come from one call and are alike. */
bool region_is_alike(const struct rangemap_entry *left, const struct rangemap_entry *right, void *unused);

/* The name of an open file, read once per file; "?" if it cannot be. */
const char *region_file_name(int fd, uint32_t device, uint64_t inode);

/* A copy of `name` for good; "?" if memory is out. */
const char *region_keep_name(const char *name, uint64_t length);

#endif
