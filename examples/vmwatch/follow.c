// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* mremap flags */
#include "examples/vmwatch/follow.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "examples/vmwatch/arena.h"
#include "examples/vmwatch/kernel_maps.h"
#include "examples/vmwatch/region.h"

#define USER_LAST UINT64_C(0x00fffffffffff000) /* above all user addresses, also with five-level tables */

struct rangemap *follow_map;
uint64_t follow_lost;

static uint64_t serial;     /* of the latest call that mapped something; any thread adds */
static uint64_t break_end;  /* the program break as of the last brk */
static struct region *heap; /* of all ranges below it */

/* ---- the map ---- */

static void lose(void)
{
    (void)__atomic_fetch_add(&follow_lost, 1, __ATOMIC_RELAXED);
}

/* Gives [start, last] to `region`, of which the caller hands over one ownership. */
static void put(uint64_t start, uint64_t last, struct region *region)
{
    if (region == NULL) {
        lose();
    } else if (rangemap_store(follow_map, start, last, region, NULL, NULL) != 0) {
        lose();
        region_release(region, NULL);
    }
}

static void take(uint64_t start, uint64_t last)
{
    if (rangemap_carve(follow_map, start, last, NULL, NULL) != 0) {
        lose();
    }
}

/* The range that holds `address`, with an ownership of its region for the caller. */
static bool own(uint64_t address, struct rangemap_entry *entry)
{
    bool found;

    if (rangemap_read_begin(follow_map) != 0) {
        return false;
    }
    found = rangemap_find_held(follow_map, address, entry) == 0;
    if (found) {
        region_retain(entry->value, NULL);
    }
    rangemap_read_end(follow_map);
    return found;
}

/* Joins what is alike around [start, last], as the kernel does. */
static void tidy(uint64_t start, uint64_t last)
{
    struct rangemap_entry left = {.start = start}, right = {.last = last};

    if (start > 0) {
        (void)rangemap_find(follow_map, start - 1, &left);
    }
    (void)rangemap_find(follow_map, last + 1, &right);
    (void)rangemap_coalesce(follow_map, left.start, right.last, region_is_alike, NULL, NULL);
}

/* ---- what the kernel says ---- */

static struct region *region_of_kernel(const struct kernel_range *range)
{
    struct region *region = region_new();

    if (region != NULL) {
        region->serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
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
    if (range->prot == heap->prot && strcmp(range->name, "[heap]") == 0) {
        region_retain(heap, NULL);
        put(start, last, heap);
    } else {
        put(start, last, region_of_kernel(range));
    }
}

void follow_kernel(uint64_t start, uint64_t last)
{
    struct kernel_maps *maps = kernel_maps_open();
    struct kernel_range range;

    if (maps == NULL) {
        lose();
        return;
    }
    take(start, last);
    while (kernel_maps_next(maps, &range)) {
        if (range.start <= last && range.last >= start) {
            put_kernel_range(&range, start, last);
        }
    }
    if (!kernel_maps_close(maps)) {
        lose();
    }
}

/* Enters the whole of the kernel's range around `address`: the caller does not know its size. */
static void follow_kernel_at(uint64_t address)
{
    struct kernel_maps *maps = kernel_maps_open();
    struct kernel_range range;

    if (maps == NULL) {
        lose();
        return;
    }
    while (kernel_maps_next(maps, &range)) {
        if (range.start <= address && range.last >= address) {
            put_kernel_range(&range, range.start, range.last);
        }
    }
    if (!kernel_maps_close(maps)) {
        lose();
    }
}

/* ---- the calls ---- */

/* Whether munmap and the like would take [start, start + bytes) for a range of pages. */
static bool is_pages(uint64_t start, uint64_t bytes)
{
    return start % SYS_PAGE == 0 && bytes > 0 && bytes <= USER_LAST && start <= USER_LAST - bytes;
}

static struct region *region_of_mmap(const struct sys_args *args, uint64_t start, uint64_t caller)
{
    struct region *region = region_new();
    uint64_t flags = args->a[3];
    struct stat file;

    if (region == NULL) {
        return NULL;
    }
    region->serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    region->tid = (int)sys3(SYS_gettid, 0, 0, 0);
    region->mapped_by = caller;
    region->prot = (uint8_t)(args->a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC));
    region->shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    region->grows_down = (flags & MAP_GROWSDOWN) != 0;
    if ((flags & MAP_ANONYMOUS) == 0 && sys3(SYS_fstat, args->a[4], sys_bits(&file), 0) == 0) {
        region->origin = start - args->a[5];
        region->inode = file.st_ino;
        region->device = major(file.st_dev) << 20 | minor(file.st_dev);
        region->name = region_file_name((int)args->a[4], region->device, region->inode);
    }
    return region;
}

static long follow_mmap(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);
    uint64_t start = (uint64_t)result;

    if (sys_failed(result)) {
        if ((args->a[3] & MAP_FIXED) != 0 && is_pages(args->a[0], sys_pages(args->a[1]))) {
            follow_kernel(args->a[0],
                          args->a[0] + sys_pages(args->a[1]) - 1); /* what was there may be gone */
        }
        return result;
    }
    if ((args->a[3] & MAP_HUGETLB) != 0) {
        follow_kernel_at(start); /* it rounds the size to its own pages */
    } else {
        put(start, start + sys_pages(args->a[1]) - 1, region_of_mmap(args, start, caller));
    }
    return result;
}

static long follow_munmap(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], bytes = sys_pages(args->a[1]);
    long result;

    (void)caller;
    if (!is_pages(start, bytes)) {
        return sys_call(number, args);
    }
    take(start, start + bytes - 1);
    result = sys_call(number, args);
    if (result != 0) {
        follow_kernel(start, start + bytes - 1);
    }
    return result;
}

/* Gives the part of each range in [start, last] the protection `prot`. */
static void protect(uint64_t start, uint64_t last, uint8_t prot)
{
    struct rangemap_entry entry;
    bool changed = false;

    for (uint64_t at = start; at <= last && at >= start; at = entry.last + 1) {
        struct region *region;

        if (rangemap_overlap(follow_map, at, last, &entry) != 0 ||
            !own(entry.start > at ? entry.start : at, &entry)) {
            break;
        }
        region = entry.value;
        if (region->prot != prot) {
            struct region *copy = region_copy(region);

            if (copy != NULL) {
                copy->prot = prot;
            }
            put(entry.start > start ? entry.start : start, entry.last < last ? entry.last : last, copy);
            changed = true;
        }
        region_release(region, NULL);
    }
    if (changed) {
        tidy(start, last);
    }
}

static long follow_mprotect(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], bytes = sys_pages(args->a[1]);
    long result = sys_call(number, args);
    struct rangemap_entry entry;

    (void)caller;
    if (!is_pages(start, bytes)) {
        return result;
    }
    if ((args->a[2] & (PROT_GROWSDOWN | PROT_GROWSUP)) != 0) {
        if (rangemap_find(follow_map, start, &entry) == 0) {
            follow_kernel(entry.start, entry.last); /* from the range's own end on */
        }
    } else if (result == 0) {
        protect(start, start + bytes - 1, (uint8_t)(args->a[2] & 7));
    } else {
        follow_kernel(start, start + bytes - 1); /* it may have got half way */
    }
    return result;
}

/* Where a mapping went: its region, at another address. */
static void put_moved(uint64_t start, uint64_t bytes, const struct region *region, uint64_t old)
{
    struct region *moved = region_copy(region);

    if (moved != NULL && moved->inode != 0) {
        moved->origin = start - (old - region->origin);
    }
    put(start, start + bytes - 1, moved);
}

static long follow_mremap(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t old = args->a[0], old_bytes = sys_pages(args->a[1]), new_bytes = sys_pages(args->a[2]);
    bool stays = (args->a[3] & MREMAP_DONTUNMAP) != 0 || old_bytes == 0;
    struct rangemap_entry entry;
    bool known, whole;
    long result;

    (void)caller;
    known = own(old, &entry);
    whole = known && (stays || (is_pages(old, old_bytes) && entry.last - old >= old_bytes - 1));
    if (!stays && is_pages(old, old_bytes)) {
        take(old, old + old_bytes - 1);
    }
    result = sys_call(number, args);
    if (sys_failed(result) && !stays && is_pages(old, old_bytes)) {
        follow_kernel(old, old + old_bytes - 1);
    } else if (!sys_failed(result) && whole) {
        put_moved((uint64_t)result, new_bytes, entry.value, old);
        tidy((uint64_t)result, (uint64_t)result + new_bytes - 1);
    } else if (!sys_failed(result)) {
        follow_kernel((uint64_t)result, (uint64_t)result + new_bytes - 1);
    }
    if (known) {
        region_release(entry.value, NULL);
    }
    return result;
}

static long follow_brk(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t old = sys_pages(__atomic_load_n(&break_end, __ATOMIC_RELAXED)), wanted = sys_pages(args->a[0]),
             now;
    long result;

    (void)caller;
    if (args->a[0] != 0 && wanted < old) {
        take(wanted, old - 1);
    }
    result = sys_call(number, args);
    __atomic_store_n(&break_end, (uint64_t)result, __ATOMIC_RELAXED);
    now = sys_pages((uint64_t)result);
    if (args->a[0] != 0 && wanted < old && now != wanted) {
        follow_kernel(wanted, old - 1); /* it refused */
    }
    if (now > old) {
        region_retain(heap, NULL);
        put(old, now - 1, heap);
        tidy(old, now - 1);
    }
    return result;
}

/* Calls that return the address of a mapping whose size the kernel decides. */
static long follow_placed(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (!sys_failed(result)) {
        follow_kernel_at((uint64_t)result);
    }
    return result;
}

/* The end of the mapping that begins at `start`, in however many parts. In a read section. */
static uint64_t mapping_last(uint64_t start, uint64_t of_serial)
{
    struct rangemap_entry entry;
    uint64_t last = start;

    for (uint64_t at = start; rangemap_find_held(follow_map, at, &entry) == 0; at = last + 1) {
        if (((const struct region *)entry.value)->serial != of_serial) {
            break;
        }
        last = entry.last;
    }
    return last;
}

/* shmdt and io_destroy: the address alone says what goes. */
static long follow_removed(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], last = start;
    struct rangemap_entry entry;
    bool known = own(start, &entry);
    long result;

    (void)caller;
    if (known) {
        (void)rangemap_read_begin(follow_map); /* cannot fail: own() has attached the thread */
        last = mapping_last(start, ((const struct region *)entry.value)->serial);
        rangemap_read_end(follow_map);
        region_release(entry.value, NULL);
        take(start, last);
    }
    result = sys_call(number, args);
    if (known && result != 0) {
        follow_kernel(start, last);
    }
    return result;
}

static long follow_remap_file_pages(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (is_pages(args->a[0], sys_pages(args->a[1]))) {
        follow_kernel(args->a[0], args->a[0] + sys_pages(args->a[1]) - 1);
    }
    return result;
}

static long follow_io_setup(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (result == 0) {
        follow_kernel_at(*(const uint64_t *)args->a[1]); /* its ring is at the address it is called by */
    }
    return result;
}

/* ---- */

#if !defined(SYS_map_shadow_stack)
#define SYS_map_shadow_stack 453
#endif

const short follow_numbers[] = {
    SYS_mmap,  SYS_munmap, SYS_mprotect,         SYS_pkey_mprotect, SYS_mremap,     SYS_brk,
    SYS_shmat, SYS_shmdt,  SYS_remap_file_pages, SYS_io_setup,      SYS_io_destroy, SYS_map_shadow_stack,
    -1};

static long (*const follow_functions[])(long, const struct sys_args *, uint64_t) = {
    follow_mmap,   follow_munmap,  follow_mprotect,         follow_mprotect, follow_mremap,  follow_brk,
    follow_placed, follow_removed, follow_remap_file_pages, follow_io_setup, follow_removed, follow_placed};

uint64_t follow_calls[sizeof follow_numbers / sizeof *follow_numbers];

long follow_call(long number, const struct sys_args *args, uint64_t caller)
{
    for (unsigned i = 0; follow_numbers[i] >= 0; i++) {
        if (follow_numbers[i] == number) {
            (void)__atomic_fetch_add(&follow_calls[i], 1, __ATOMIC_RELAXED);
            return follow_functions[i](number, args, caller);
        }
    }
    return sys_call(number, args);
}

void follow_own(long number, const struct sys_args *args, long result)
{
    struct region *region;

    if (number == SYS_munmap) {
        take(args->a[0], args->a[0] + sys_pages(args->a[1]) - 1);
    } else if (number == SYS_mmap) {
        region = region_of_mmap(args, (uint64_t)result, 0);
        if (region != NULL) {
            region->name = "[vmwatch]";
        }
        put((uint64_t)result, (uint64_t)result + sys_pages(args->a[1]) - 1, region);
    } else {
        follow_kernel(0, UINT64_MAX); /* the map makes no other calls */
    }
}

bool follow_is(long number)
{
    for (unsigned i = 0; follow_numbers[i] >= 0; i++) {
        if (follow_numbers[i] == number) {
            return true;
        }
    }
    return false;
}

int follow_begin(void)
{
    struct rangemap_domain_options domain_options = {.chunks = &arena_chunks};
    struct rangemap_options options = {.release = region_release, .retain = region_retain};
    int result;

    heap = region_new();
    if (heap == NULL) {
        return -ENOMEM;
    }
    heap->name = "[heap]";
    heap->prot = PROT_READ | PROT_WRITE;
    result = rangemap_domain_create(&domain_options, &options.domain);
    return result == 0 ? rangemap_create(&options, &follow_map) : result;
}

void follow_seed(void)
{
    break_end = (uint64_t)sys3(SYS_brk, 0, 0, 0);
    follow_kernel(0, UINT64_MAX);
}
