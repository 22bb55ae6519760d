// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/space.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "examples/vmwatch/arena.h"
#include "examples/vmwatch/reader.h"

struct rangemap *space_map;
uint64_t space_lost;
struct region *space_heap;

static uint64_t serial; /* of the latest call that mapped something; any thread adds */

/* ---- the map ---- */

void space_lose(void)
{
    (void)__atomic_fetch_add(&space_lost, 1, __ATOMIC_RELAXED);
}

void space_put(uint64_t start, uint64_t last, struct region *region)
{
    if (region == NULL) {
        space_lose();
    } else if (rangemap_store(space_map, start, last, region, NULL, NULL) != 0) {
        space_lose();
        region_release(region, NULL);
    }
}

void space_join(uint64_t start, uint64_t last, struct region *region)
{
    const struct rangemap_entry entry = {start, last, region};
    const struct rangemap_rewrite how = {.join = true, .equal = region_is_alike};

    if (region == NULL) {
        space_lose();
    } else if (rangemap_splice(space_map, start, last, &entry, 1, &how) != 0) {
        space_lose();
        region_release(region, NULL);
    }
}

void space_take(uint64_t start, uint64_t last)
{
    if (rangemap_carve(space_map, start, last, NULL, NULL) != 0) {
        space_lose();
    }
}

bool space_own(uint64_t address, struct rangemap_entry *entry)
{
    bool found;

    if (rangemap_read_begin(space_map) != 0) {
        return false;
    }
    found = rangemap_find_held(space_map, address, entry) == 0;
    if (found) {
        region_retain(entry->value, NULL);
    }
    rangemap_read_end(space_map);
    return found;
}

uint64_t space_next_serial(void)
{
    return __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
}

int space_begin(void)
{
    struct rangemap_domain_options domain_options = {.chunks = &arena_chunks};
    struct rangemap_options options = {.release = region_release, .retain = region_retain};
    int result;

    space_heap = region_new();
    if (space_heap == NULL) {
        return -ENOMEM;
    }
    space_heap->name = "[heap]";
    space_heap->prot = PROT_READ | PROT_WRITE;
    result = rangemap_domain_create(&domain_options, &options.domain);
    return result == 0 ? rangemap_create(&options, &space_map) : result;
}

/* ---- what the kernel says ---- */

static struct region *region_of_kernel(const struct kernel_range *range)
{
    struct region *region = region_new();

    if (region != NULL) {
        region->serial = space_next_serial();
        region->origin = range->inode != 0 ? range->start - range->offset : 0;
        region->inode = range->inode;
        region->device = range->device;
        region->prot = range->prot;
        region->shared = range->shared;
        region->grows_down = strcmp(range->name, "[stack]") == 0;
        region->name = region_keep_name(range->name, range->name_length);
    }
    return region;
}

static void put_kernel_range(const struct kernel_range *range, uint64_t start, uint64_t last)
{
    start = start > range->start ? start : range->start;
    last = last < range->last ? last : range->last;
    if (range->prot == space_heap->prot && strcmp(range->name, "[heap]") == 0) {
        region_retain(space_heap, NULL);
        space_put(start, last, space_heap);
    } else {
        space_put(start, last, region_of_kernel(range));
    }
}

void space_ask_kernel(uint64_t start, uint64_t last)
{
    struct kernel_maps *maps = reader_open();
    struct kernel_range range;

    if (maps == NULL) {
        space_lose();
        return;
    }
    space_take(start, last);
    while (kernel_maps_next(maps, &range)) {
        if (range.start <= last && range.last >= start) {
            put_kernel_range(&range, start, last);
        }
    }
    if (!reader_close(maps)) {
        space_lose();
    }
}

void space_ask_kernel_at(uint64_t address)
{
    struct kernel_maps *maps = reader_open();
    struct kernel_range range;

    if (maps == NULL) {
        space_lose();
        return;
    }
    while (kernel_maps_next(maps, &range)) {
        if (range.start <= address && range.last >= address) {
            put_kernel_range(&range, range.start, range.last);
        }
    }
    if (!reader_close(maps)) {
        space_lose();
    }
}
