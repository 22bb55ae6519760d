// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copying from and to memory of areas, whose pages are brought in first. Kernel: lib/usercopy.c, lib/iov_iter.c
 * (6.1).
 */
#include <linux/pagemap.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

/* All pages of [address, address + bytes) that lie in areas. False: one cannot be had, or not be written. */
static bool bring_in(const void *address, unsigned long bytes, bool is_write)
{
    unsigned long start = (unsigned long)address & PAGE_MASK, end = (unsigned long)address + bytes;
    bool has_area = true;

    for (; bytes > 0 && start < end; start += PAGE_SIZE) {
        if (pm_bring_in(start, is_write, &has_area) != 0 && has_area) {
            return false;
        }
    }
    return true;
}

unsigned long copy_from_user(void *to, const void *from, unsigned long bytes)
{
    if (!bring_in(from, bytes, false)) {
        return bytes;
    }
    memcpy(to, from, bytes);
    return 0;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long bytes)
{
    if (!bring_in(to, bytes, true)) {
        return bytes;
    }
    memcpy(to, from, bytes);
    return 0;
}

unsigned long clear_user(void *to, unsigned long bytes)
{
    if (!bring_in(to, bytes, true)) {
        return bytes;
    }
    memset(to, 0, bytes);
    return 0;
}

/* ---- iterators ---- */

size_t _copy_from_iter(void *to, size_t bytes, struct iov_iter *iter)
{
    size_t n = min(bytes, iter->count);

    n -= copy_from_user(to, iter->at, n);
    iter->at += n;
    iter->count -= n;
    return n;
}

size_t _copy_to_iter(const void *from, size_t bytes, struct iov_iter *iter)
{
    size_t n = min(bytes, iter->count);

    n -= copy_to_user(iter->at, from, n);
    iter->at += n;
    iter->count -= n;
    return n;
}
