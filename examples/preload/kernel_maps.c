// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/kernel_maps.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "examples/preload/kept.h"
#include "examples/preload/sys.h"

/*
 * No folder is kept, by which it could be found where there is no /proc: sandboxes refuse processes with an open
 * folder.
 */
static struct kept maps_file = KEPT_NONE;
static bool is_in_use; /* maps_file, whose position is its reader's */

static long open_maps(void)
{
    return sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits("/proc/self/maps"), O_RDONLY | O_CLOEXEC, 0);
}

void kernel_maps_keep(void)
{
    kept_close(&maps_file); /* the parent's */
    maps_file = kept_take(open_maps());
    __atomic_store_n(&is_in_use, false, __ATOMIC_RELEASE); /* a reader of the parent's is not here */
}

/* Where reading goes on is decided by the file's position, so others who read meanwhile open a file of their own. */
static bool take_kept(void)
{
    if (__atomic_exchange_n(&is_in_use, true, __ATOMIC_ACQUIRE)) {
        return false;
    }
    if (kept_is_there(&maps_file) && sys3(SYS_lseek, (uint64_t)maps_file.fd, 0, SEEK_SET) == 0) {
        return true;
    }
    __atomic_store_n(&is_in_use, false, __ATOMIC_RELEASE);
    return false;
}

void kernel_maps_open(struct kernel_maps *maps)
{
    maps->is_kept = take_kept();
    maps->fd = (int)(maps->is_kept ? maps_file.fd : open_maps());
    maps->failed = maps->fd < 0;
    maps->at = maps->end = 0;
}

bool kernel_maps_close(struct kernel_maps *maps)
{
    if (maps->is_kept) {
        __atomic_store_n(&is_in_use, false, __ATOMIC_RELEASE);
    } else if (maps->fd >= 0) {
        (void)sys3(SYS_close, (uint64_t)maps->fd, 0, 0);
    }
    return !maps->failed;
}

/* The next character, 0 at the end. */
static char next_character(struct kernel_maps *maps)
{
    if (maps->at == maps->end) {
        long bytes =
            maps->failed ? 0 : sys3(SYS_read, (uint64_t)maps->fd, sys_bits(maps->text), sizeof maps->text);

        maps->failed |= bytes < 0;
        if (bytes <= 0) {
            return 0;
        }
        maps->at = 0;
        maps->end = (unsigned)bytes;
    }
    return maps->text[maps->at++];
}

static int digit(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : 16;
}

/* A number and the character after it. */
static uint64_t number(struct kernel_maps *maps, int base, char *after)
{
    uint64_t value = 0;
    char character;

    while (digit(character = next_character(maps)) < base) {
        value = value * (uint64_t)base + (uint64_t)digit(character);
    }
    *after = character;
    return value;
}

static void permissions(struct kernel_maps *maps, struct kernel_range *range)
{
    char character;

    range->prot = 0;
    range->shared = false;
    while ((character = next_character(maps)) != ' ' && character != 0) {
        range->prot |= (uint8_t)(character == 'r' ? PROT_READ : 0);
        range->prot |= (uint8_t)(character == 'w' ? PROT_WRITE : 0);
        range->prot |= (uint8_t)(character == 'x' ? PROT_EXEC : 0);
        range->shared |= character == 's';
    }
}

static void name(struct kernel_maps *maps, struct kernel_range *range, char character)
{
    while (character == ' ') {
        character = next_character(maps);
    }
    range->name_length = 0;
    for (; character != '\n' && character != 0; character = next_character(maps)) {
        if (range->name_length < sizeof range->name - 1) {
            range->name[range->name_length++] = character;
        }
    }
    range->name[range->name_length] = '\0';
}

bool kernel_maps_next(struct kernel_maps *maps, struct kernel_range *range)
{
    uint64_t major, minor;
    char after;

    range->start = number(maps, 16, &after);
    if (after != '-') {
        return false;
    }
    range->last = number(maps, 16, &after) - 1;
    permissions(maps, range);
    range->offset = number(maps, 16, &after);
    major = number(maps, 16, &after);
    minor = number(maps, 16, &after);
    range->device = (uint32_t)(major << 20 | minor);
    range->inode = number(maps, 10, &after);
    name(maps, range, after);
    return !maps->failed;
}
