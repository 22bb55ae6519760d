// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* mremap flags */
#include "examples/vmwatch/calls.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "examples/vmwatch/space.h"

#define USER_LAST UINT64_C(0x00fffffffffff000) /* above all user addresses, also with five-level tables */

static uint64_t break_end; /* the program break as of the last brk */

/* Whether munmap and the like would take [start, start + bytes) for a range of pages. */
static bool is_pages(uint64_t start, uint64_t bytes)
{
    return start % SYS_PAGE == 0 && bytes > 0 && bytes <= USER_LAST && start <= USER_LAST - bytes;
}

struct region *call_region_of_mmap(const struct sys_args *args, uint64_t start, uint64_t caller)
{
    struct region *region = region_new();
    uint64_t flags = args->a[3];
    struct stat file;

    if (region == NULL) {
        return NULL;
    }
    region->serial = space_next_serial();
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

long call_mmap(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);
    uint64_t start = (uint64_t)result;

    if (sys_failed(result)) {
        if ((args->a[3] & MAP_FIXED) != 0 && is_pages(args->a[0], sys_pages(args->a[1]))) {
            space_ask_kernel(args->a[0],
                             args->a[0] + sys_pages(args->a[1]) - 1); /* what was there may be gone */
        }
        return result;
    }
    if ((args->a[3] & MAP_HUGETLB) != 0) {
        space_ask_kernel_at(start); /* it rounds the size to its own pages */
    } else {
        space_put(start, start + sys_pages(args->a[1]) - 1, call_region_of_mmap(args, start, caller));
    }
    return result;
}

long call_munmap(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], bytes = sys_pages(args->a[1]);
    long result;

    (void)caller;
    if (!is_pages(start, bytes)) {
        return sys_call(number, args);
    }
    space_take(start, start + bytes - 1);
    result = sys_call(number, args);
    if (result != 0) {
        space_ask_kernel(start, start + bytes - 1);
    }
    return result;
}

/* Ranges that are to have another protection, each with the region that it gets; so many in one step. */
enum { PROTECTED_MAX = 64 };

struct protection {
    uint8_t prot;
    bool is_short; /* of memory: ranges are without a change */
    unsigned count;
    struct {
        struct rangemap_entry old;
        struct region *region; /* whose owner is the map once it is used */
        bool is_used;
    } change[PROTECTED_MAX];
};

/* Copies are made before the step, which may run more than once. Where it is to end: there are more ranges behind. */
static uint64_t prepare_protection(struct protection *protection, uint64_t start, uint64_t last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    protection->count = 0;
    protection->is_short = false;
    (void)rangemap_cursor_init(&cursor, space_map, start, last);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        const struct region *region = entry.value;

        if (region->prot == protection->prot) {
            continue;
        }
        if (protection->count == PROTECTED_MAX) {
            return entry.start - 1;
        }
        protection->change[protection->count].old = entry;
        protection->change[protection->count].is_used = false;
        protection->change[protection->count].region = region_copy(region);
        if (protection->change[protection->count].region == NULL) {
            protection->is_short = true;
            return last;
        }
        protection->change[protection->count++].region->prot = protection->prot;
    }
    return last;
}

/* The change for a range as it was found; -1: it is another one. */
static int change_of(const struct protection *protection, const struct rangemap_entry *whole)
{
    for (unsigned i = 0; i < protection->count; i++) {
        const struct rangemap_entry *old = &protection->change[i].old;

        if (old->start == whole->start && old->last == whole->last && old->value == whole->value) {
            return (int)i;
        }
    }
    return -1;
}

static int protect_part(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                        void *context)
{
    const struct protection *protection = context;
    int i = change_of(protection, whole);

    (void)part;
    if (((const struct region *)whole->value)->prot == protection->prot) {
        return RANGEMAP_KEEP;
    }
    if (i < 0) {
        return protection->is_short ? -ENOMEM : -ESTALE; /* somebody was quicker: look again */
    }
    *value = protection->change[i].region;
    return RANGEMAP_SET;
}

static void note_protected(const struct rangemap_entry *entry, void *context)
{
    struct protection *protection = context;
    int i = change_of(protection, entry);

    if (i >= 0) {
        protection->change[i].is_used = true;
    }
}

/*
 * One step, up to where it ends; what was not used is given back. In a read section: no region is another's
 * meanwhile.
 */
static int protect_some(struct protection *protection, uint64_t start, uint64_t last, uint64_t *end)
{
    const struct rangemap_rewrite how = {
        .join = true, .equal = region_is_alike, .displaced = note_protected, .context = protection};
    int result;

    *end = prepare_protection(protection, start, last);
    result = rangemap_update(space_map, start, *end, protect_part, protection, &how);
    for (unsigned i = 0; i < protection->count; i++) {
        if (!protection->change[i].is_used) {
            region_release(protection->change[i].region, NULL);
        }
    }
    return result;
}

/* Gives the part of each range in [start, last] the protection `prot`. */
static void protect(uint64_t start, uint64_t last, uint8_t prot)
{
    struct protection protection = {.prot = prot};
    uint64_t end;
    int result;

    if (rangemap_read_begin(space_map) != 0) {
        space_lose();
        return;
    }
    do {
        result = protect_some(&protection, start, last, &end);
        start = result == 0 ? end + 1 : start;
    } while (result == -ESTALE || (result == 0 && end < last));
    if (result != 0) {
        space_lose();
    }
    rangemap_read_end(space_map);
}

long call_mprotect(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], bytes = sys_pages(args->a[1]);
    long result = sys_call(number, args);
    struct rangemap_entry entry;

    (void)caller;
    if (!is_pages(start, bytes)) {
        return result;
    }
    if ((args->a[2] & (PROT_GROWSDOWN | PROT_GROWSUP)) != 0) {
        if (rangemap_find(space_map, start, &entry) == 0) {
            space_ask_kernel(entry.start, entry.last); /* from the range's own end on */
        }
    } else if (result == 0) {
        protect(start, start + bytes - 1, (uint8_t)(args->a[2] & 7));
    } else {
        space_ask_kernel(start, start + bytes - 1); /* it may have got half way */
    }
    return result;
}

/* A failed call may have got half way: with what was at the target gone. */
static void ask_about_target(const struct sys_args *args)
{
    uint64_t bytes = sys_pages(args->a[2]);

    if ((args->a[3] & MREMAP_FIXED) != 0 && is_pages(args->a[4], bytes)) {
        space_ask_kernel(args->a[4], args->a[4] + bytes - 1);
    }
}

/* Where a mapping went: its region, at another address. */
static void put_moved(uint64_t start, uint64_t bytes, const struct region *region, uint64_t old)
{
    struct region *moved = region_copy(region);

    if (moved != NULL && moved->inode != 0) {
        moved->origin = start - (old - region->origin);
    }
    space_join(start, start + bytes - 1, moved);
}

long call_mremap(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t old = args->a[0], old_bytes = sys_pages(args->a[1]), new_bytes = sys_pages(args->a[2]);
    bool stays = (args->a[3] & MREMAP_DONTUNMAP) != 0 || old_bytes == 0;
    struct rangemap_entry entry;
    bool known, whole;
    long result;

    (void)caller;
    known = space_own(old, &entry);
    whole = known && (stays || (is_pages(old, old_bytes) && entry.last - old >= old_bytes - 1));
    if (!stays && is_pages(old, old_bytes)) {
        space_take(old, old + old_bytes - 1);
    }
    result = sys_call(number, args);
    if (sys_failed(result)) {
        ask_about_target(args);
    }
    if (sys_failed(result) && !stays && is_pages(old, old_bytes)) {
        space_ask_kernel(old, old + old_bytes - 1);
    } else if (!sys_failed(result) && whole) {
        put_moved((uint64_t)result, new_bytes, entry.value, old);
    } else if (!sys_failed(result)) {
        space_ask_kernel((uint64_t)result, (uint64_t)result + new_bytes - 1);
    }
    if (known) {
        region_release(entry.value, NULL);
    }
    return result;
}

long call_brk(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t old = sys_pages(__atomic_load_n(&break_end, __ATOMIC_RELAXED)), wanted = sys_pages(args->a[0]),
             now;
    long result;

    (void)caller;
    if (args->a[0] != 0 && wanted < old) {
        space_take(wanted, old - 1);
    }
    result = sys_call(number, args);
    __atomic_store_n(&break_end, (uint64_t)result, __ATOMIC_RELAXED);
    now = sys_pages((uint64_t)result);
    if (args->a[0] != 0 && wanted < old && now != wanted) {
        space_ask_kernel(wanted, old - 1); /* it refused */
    }
    if (now > old) {
        region_retain(space_heap, NULL);
        space_join(old, now - 1, space_heap);
    }
    return result;
}

long call_placed(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (!sys_failed(result)) {
        space_ask_kernel_at((uint64_t)result);
    }
    return result;
}

/* The end of the mapping that begins at `start`, in however many parts. In a read section. */
static uint64_t mapping_last(uint64_t start, uint64_t of_serial)
{
    struct rangemap_entry entry;
    uint64_t last = start;

    for (uint64_t at = start; rangemap_find_held(space_map, at, &entry) == 0; at = last + 1) {
        if (((const struct region *)entry.value)->serial != of_serial) {
            break;
        }
        last = entry.last;
    }
    return last;
}

/* shmdt and io_destroy: the address alone says what goes. */
long call_removed(long number, const struct sys_args *args, uint64_t caller)
{
    uint64_t start = args->a[0], last = start;
    struct rangemap_entry entry;
    bool known = space_own(start, &entry);
    long result;

    (void)caller;
    if (known && rangemap_read_begin(space_map) == 0) { /* cannot fail: space_own() has attached the thread */
        last = mapping_last(start, ((const struct region *)entry.value)->serial);
        rangemap_read_end(space_map);
        region_release(entry.value, NULL);
        space_take(start, last);
    }
    result = sys_call(number, args);
    if (known && result != 0) {
        space_ask_kernel(start, last);
    }
    return result;
}

long call_remap_file_pages(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (is_pages(args->a[0], sys_pages(args->a[1]))) {
        space_ask_kernel(args->a[0], args->a[0] + sys_pages(args->a[1]) - 1);
    }
    return result;
}

long call_io_setup(long number, const struct sys_args *args, uint64_t caller)
{
    long result = sys_call(number, args);

    (void)caller;
    if (result == 0) {
        space_ask_kernel_at(*(const uint64_t *)args->a[1]); /* its ring is at the address it is called by */
    }
    return result;
}

void call_begin(void)
{
    __atomic_store_n(&break_end, (uint64_t)sys3(SYS_brk, 0, 0, 0), __ATOMIC_RELAXED);
}
