// SPDX-License-Identifier: BSD-2-Clause
/* Text put together piece by piece. */
#ifndef PAGEMAP_COMPAT_LINUX_SEQ_BUF_H
#define PAGEMAP_COMPAT_LINUX_SEQ_BUF_H

#include <linux/kernel.h>

struct seq_buf {
    char *buffer;
    size_t size, len;
};

static inline void seq_buf_init(struct seq_buf *buf, char *buffer, unsigned bytes)
{
    buf->buffer = buffer;
    buf->size = bytes;
    buf->len = 0;
}

/* -1: it does not fit, and seq_buf_has_overflowed(). */
int seq_buf_printf(struct seq_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool seq_buf_has_overflowed(struct seq_buf *buf)
{
    return buf->len > buf->size;
}

#endif
