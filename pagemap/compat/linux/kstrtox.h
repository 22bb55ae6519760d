// SPDX-License-Identifier: BSD-2-Clause
/* Numbers in text. 0, -EINVAL (no number, or more than one) or -ERANGE. */
#ifndef PAGEMAP_COMPAT_LINUX_KSTRTOX_H
#define PAGEMAP_COMPAT_LINUX_KSTRTOX_H

#include <linux/errno.h>
#include <linux/types.h>

int kstrtoull(const char *text, unsigned base, unsigned long long *result);
int kstrtoll(const char *text, unsigned base, long long *result);
int kstrtobool(const char *text, bool *result);

#define PM_KSTRTO(name, type, wide, parse)                                                                   \
    static inline int name(const char *text, unsigned base, type *result)                                    \
    {                                                                                                        \
        wide value;                                                                                          \
        int error = parse(text, base, &value);                                                               \
        if (error == 0 && (wide)(type)value != value) {                                                      \
            error = -ERANGE;                                                                                 \
        }                                                                                                    \
        if (error == 0) {                                                                                    \
            *result = (type)value;                                                                           \
        }                                                                                                    \
        return error;                                                                                        \
    }
PM_KSTRTO(kstrtoul, unsigned long, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtouint, unsigned, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtou64, u64, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtou32, u32, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtou16, u16, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtou8, u8, unsigned long long, kstrtoull)
PM_KSTRTO(kstrtol, long, long long, kstrtoll)
PM_KSTRTO(kstrtoint, int, long long, kstrtoll)
#undef PM_KSTRTO

static inline int strtobool(const char *text, bool *result)
{
    return kstrtobool(text, result);
}

#endif
