// SPDX-License-Identifier: BSD-2-Clause
/* The system header of this name, which others of the system include, and what the kernel has in its own. */
#ifndef PAGEMAP_COMPAT_LINUX_STDDEF_H
#define PAGEMAP_COMPAT_LINUX_STDDEF_H

#include_next <linux/stddef.h>

#include <stddef.h>

#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#ifndef struct_group
#define struct_group(name, ...)                                                                              \
    union {                                                                                                  \
        struct {                                                                                             \
            __VA_ARGS__                                                                                      \
        };                                                                                                   \
        struct {                                                                                             \
            __VA_ARGS__                                                                                      \
        } name;                                                                                              \
    }
#endif
#ifndef DECLARE_FLEX_ARRAY
#define DECLARE_FLEX_ARRAY(type, name) type name[0]
#endif

#endif
