// SPDX-License-Identifier: BSD-2-Clause
/* Where bytes come from or go to: buffers of this process. */
#ifndef PAGEMAP_COMPAT_LINUX_UIO_H
#define PAGEMAP_COMPAT_LINUX_UIO_H

#include <linux/types.h>

struct iov_iter {
    char *at;
    size_t count;
    bool data_source;
};

/* How many bytes were copied. */
size_t _copy_from_iter(void *to, size_t bytes, struct iov_iter *iter);
size_t _copy_to_iter(const void *from, size_t bytes, struct iov_iter *iter);

#define copy_from_iter _copy_from_iter
#define copy_to_iter _copy_to_iter
#define _copy_from_iter_flushcache _copy_from_iter
#define _copy_from_iter_nocache _copy_from_iter
#define _copy_mc_to_iter _copy_to_iter
#define iov_iter_count(iter) ((iter)->count)

#endif
