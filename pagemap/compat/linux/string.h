// SPDX-License-Identifier: BSD-2-Clause
/* Strings, with what the kernel has beyond the C library. */
#ifndef PAGEMAP_COMPAT_LINUX_STRING_H
#define PAGEMAP_COMPAT_LINUX_STRING_H

#include <stdio.h>
#include <string.h>

#include <linux/err.h>
#include <linux/types.h>

ssize_t strscpy(char *to, const char *from, size_t bytes);
/* Equal, but for one newline at the end of either. */
bool sysfs_streq(const char *a, const char *b);
char *strim(char *text);
char *skip_spaces(const char *text);
int match_string(const char *const *array, size_t n, const char *text);
char *strreplace(char *text, char old, char replacement);
bool mem_is_zero(const void *start, size_t bytes);

/* Also in linux/slab.h, as in the kernel: freed by kfree(). */
char *kstrdup(const char *text, gfp_t flags);
char *kstrndup(const char *text, size_t most, gfp_t flags);
const char *kstrdup_const(const char *text, gfp_t flags);
void kfree_const(const void *text);
void *kmemdup(const void *from, size_t bytes, gfp_t flags);
char *kasprintf(gfp_t flags, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *kvasprintf(gfp_t flags, const char *format, va_list arguments);

static inline bool strstarts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

#endif
