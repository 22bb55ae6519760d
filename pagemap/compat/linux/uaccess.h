// SPDX-License-Identifier: BSD-2-Clause
/* Memory of the program, which is this one. Pages of views are brought in first, so that nothing faults. */
#ifndef PAGEMAP_COMPAT_LINUX_UACCESS_H
#define PAGEMAP_COMPAT_LINUX_UACCESS_H

#include <linux/kernel.h>

/* How many bytes were not copied: 0, or all if a page cannot be had. */
unsigned long copy_from_user(void *to, const void *from, unsigned long bytes);
unsigned long copy_to_user(void *to, const void *from, unsigned long bytes);
unsigned long clear_user(void *to, unsigned long bytes);

#define __copy_from_user copy_from_user
#define __copy_to_user copy_to_user
#define access_ok(address, bytes) ((void)(address), true)
#define get_user(value, from) (copy_from_user(&(value), from, sizeof(value)) != 0 ? -EFAULT : 0)
#define put_user(value, to)                                                                                  \
    ({                                                                                                       \
        __typeof__(*(to)) put_ = (value);                                                                    \
        copy_to_user(to, &put_, sizeof put_) != 0 ? -EFAULT : 0;                                             \
    })

#endif
