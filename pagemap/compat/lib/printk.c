// SPDX-License-Identifier: BSD-2-Clause
/* Messages, and rules that are broken. */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/seq_buf.h>
#include <linux/sysfs.h>
#include <stdlib.h>

#include "pagemap/compat/user.h"

static pagemap_compat_printk_fn *handler;

pagemap_compat_printk_fn *pagemap_compat_set_printk(pagemap_compat_printk_fn *printk_fn)
{
    return __atomic_exchange_n(&handler, printk_fn, __ATOMIC_ACQ_REL);
}

int pagemap_compat_printk(int level, const char *format, ...)
{
    pagemap_compat_printk_fn *to = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);
    char message[512];
    va_list arguments;
    int length;

    if (to == NULL && level > LOGLEVEL_WARNING) {
        return 0;
    }
    va_start(arguments, format);
    length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (to != NULL) {
        to(level, message);
    } else {
        (void)fputs(message, stderr);
    }
    return length;
}

int pagemap_compat_warn_on(int broken, const char *what, const char *file, int line)
{
    char message[200];

    if (unlikely(broken)) {
        (void)snprintf(message, sizeof message, "%s:%d: %s", file, line, what);
        pagemap_warn(message);
    }
    return broken;
}

void pagemap_compat_bug(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: kernel BUG: %s\n", file, line, what);
    abort();
}

/* ---- text into buffers ---- */

int vscnprintf(char *to, size_t bytes, const char *format, va_list arguments)
{
    int length = vsnprintf(to, bytes, format, arguments);

    return length < (int)bytes ? length : bytes == 0 ? 0 : (int)bytes - 1;
}

int scnprintf(char *to, size_t bytes, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vscnprintf(to, bytes, format, arguments);
    va_end(arguments);
    return length;
}

int sysfs_emit(char *to, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vscnprintf(to, PAGE_SIZE, format, arguments);
    va_end(arguments);
    return length;
}

int sysfs_emit_at(char *to, int at, const char *format, ...)
{
    va_list arguments;
    int length;

    if (WARN_ON(at < 0 || at >= (int)PAGE_SIZE)) {
        return 0;
    }
    va_start(arguments, format);
    length = vscnprintf(to + at, PAGE_SIZE - (size_t)at, format, arguments);
    va_end(arguments);
    return length;
}

int seq_buf_printf(struct seq_buf *buf, const char *format, ...)
{
    size_t left = buf->len < buf->size ? buf->size - buf->len : 0;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(buf->buffer + buf->len, left, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= left) {
        buf->len = buf->size + 1;
        return -1;
    }
    buf->len += (size_t)length;
    return 0;
}
