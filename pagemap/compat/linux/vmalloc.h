// SPDX-License-Identifier: BSD-2-Clause
/* Large objects: as small ones. */
#ifndef PAGEMAP_COMPAT_LINUX_VMALLOC_H
#define PAGEMAP_COMPAT_LINUX_VMALLOC_H

#include <linux/slab.h>

#define vmalloc(bytes) kmalloc(bytes, GFP_KERNEL)
#define vzalloc(bytes) kzalloc(bytes, GFP_KERNEL)
#define vmalloc_user(bytes) kzalloc(bytes, GFP_KERNEL)
#define vfree(object) kfree(object)
#define is_vmalloc_addr(address) ((void)(address), false)
#define unmap_kernel_range(address, bytes) ((void)0)

#endif
