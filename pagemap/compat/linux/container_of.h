// SPDX-License-Identifier: BSD-2-Clause
/* From a member to what it is in. */
#ifndef PAGEMAP_COMPAT_LINUX_CONTAINER_OF_H
#define PAGEMAP_COMPAT_LINUX_CONTAINER_OF_H

#include <linux/types.h>

#define container_of(pointer, type, member)                                                                  \
    ((type *)(void *)((char *)(uintptr_t)(pointer)-offsetof(type, member)))
#define container_of_safe(pointer, type, member)                                                             \
    ({                                                                                                       \
        void *p_ = (void *)(pointer);                                                                        \
        IS_ERR_OR_NULL(p_) ? p_ : container_of(p_, type, member);                                            \
    })
#define typeof_member(type, member) __typeof__(((type *)0)->member)

#endif
