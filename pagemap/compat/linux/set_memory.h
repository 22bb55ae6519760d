// SPDX-License-Identifier: BSD-2-Clause
/* Attributes of the linear map, which stays as it is. */
#ifndef PAGEMAP_COMPAT_LINUX_SET_MEMORY_H
#define PAGEMAP_COMPAT_LINUX_SET_MEMORY_H

#define clear_mce_nospec(pfn) ((void)(pfn))
#define set_mce_nospec(pfn, unmap) ((void)(pfn), 0)
#define set_memory_uc(address, pages) 0
#define set_memory_wb(address, pages) 0

#endif
