// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/region.h"

#include <stddef.h>
#include <string.h>

#include "examples/preload/sys.h"
#include "examples/vmwatch/arena.h"

/*
 * The list of free regions: the offset of the first in the low half, in the high half a count of changes, which
 * keeps a compare-and-swap from succeeding on a list that changed and changed back. Regions are never unmapped,
 * so `next_free` can be read of one that somebody else has just taken.
 */
static uint64_t free_regions;

static struct region *take_free(void)
{
    uint64_t head = __atomic_load_n(&free_regions, __ATOMIC_ACQUIRE);
    struct region *region;
    uint64_t next;

    do {
        if ((uint32_t)head == 0) {
            return NULL;
        }
        region = arena_at((uint32_t)head);
        next = ((head >> 32) + 1) << 32 | __atomic_load_n(&region->next_free, __ATOMIC_RELAXED);
    } while (
        !__atomic_compare_exchange_n(&free_regions, &head, next, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
    return region;
}

static void give_free(struct region *region)
{
    uint64_t head = __atomic_load_n(&free_regions, __ATOMIC_RELAXED);
    uint64_t next;

    do {
        __atomic_store_n(&region->next_free, (uint32_t)head, __ATOMIC_RELAXED);
        next = ((head >> 32) + 1) << 32 | arena_offset(region);
    } while (
        !__atomic_compare_exchange_n(&free_regions, &head, next, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

struct region *region_copy(const struct region *region)
{
    struct region *copy = take_free();

    if (copy == NULL) {
        copy = arena_alloc(sizeof *copy, 64);
    }
    if (copy != NULL) {
        /* All but `next_free`, which a thread that lost a race may still be reading. */
        memcpy(&copy->serial, &region->serial, sizeof *copy - offsetof(struct region, serial));
        __atomic_store_n(&copy->owners, 1, __ATOMIC_RELAXED);
    }
    return copy;
}

struct region *region_new(void)
{
    static const struct region empty = {.name = ""};

    return region_copy(&empty);
}

void region_retain(void *region, void *unused)
{
    (void)unused;
    (void)__atomic_fetch_add(&((struct region *)region)->owners, 1, __ATOMIC_RELAXED);
}

void region_release(void *region, void *unused)
{
    (void)unused;
    /* Acquire and release: what the last owners read comes before the reuse. */
    if (__atomic_fetch_sub(&((struct region *)region)->owners, 1, __ATOMIC_ACQ_REL) == 1) {
        give_free(region);
    }
}

bool region_is_alike(const struct rangemap_entry *left, const struct rangemap_entry *right, void *unused)
{
    const struct region *a = left->value, *b = right->value;

    (void)unused;
    return a->serial == b->serial && a->prot == b->prot && a->origin == b->origin;
}

const char *region_keep_name(const char *name, uint64_t length)
{
    char *kept = length > 0 ? arena_alloc(length + 1, 1) : NULL;

    if (kept == NULL) {
        return length > 0 ? "?" : "";
    }
    memcpy(kept, name, length);
    kept[length] = '\0';
    return kept;
}

/* ---- names of files: a table that only grows, by device and inode ---- */

enum { NAMES = 4096 };

static struct {
    uint64_t key;     /* 0: free; written once, by compare-and-swap */
    const char *name; /* NULL until its writer has read it */
} names[NAMES];

static const char *read_name(int fd)
{
    char link[32] = "/proc/self/fd/", path[256];
    char digits[12];
    unsigned length = (unsigned)strlen(link), n = 0;
    long bytes;

    do {
        digits[n++] = (char)('0' + fd % 10);
        fd /= 10;
    } while (fd > 0);
    while (n > 0) {
        link[length++] = digits[--n];
    }
    link[length] = '\0';
    bytes = sys3(SYS_readlink, sys_bits(link), sys_bits(path), sizeof path);
    return bytes > 0 ? region_keep_name(path, (uint64_t)bytes) : "?";
}

const char *region_file_name(int fd, uint32_t device, uint64_t inode)
{
    uint64_t key = (inode ^ (uint64_t)device << 40) | UINT64_C(1) << 63;

    for (uint64_t probe = 0; probe < NAMES; probe++) {
        uint64_t at = (key * UINT64_C(0x9e3779b97f4a7c15) + probe) % NAMES, found = 0;

        if (__atomic_compare_exchange_n(&names[at].key, &found, key, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            const char *name = read_name(fd);

            __atomic_store_n(&names[at].name, name, __ATOMIC_RELEASE);
            return name;
        }
        if (found == key) {
            const char *name = __atomic_load_n(&names[at].name, __ATOMIC_ACQUIRE);

            return name != NULL ? name : read_name(fd);
        }
    }
    return "?";
}
