// SPDX-License-Identifier: BSD-2-Clause
/* Bytes of pages, which are all mapped. */
#ifndef PAGEMAP_COMPAT_LINUX_HIGHMEM_H
#define PAGEMAP_COMPAT_LINUX_HIGHMEM_H

#include <linux/mm.h>

#define kmap(page) page_address(page)
#define kunmap(page) ((void)(page))
#define kmap_atomic(page) page_address(page)
#define kunmap_atomic(address) ((void)(address))
#define kmap_local_page(page) page_address(page)
#define kmap_local_folio(folio, offset) ((char *)page_address(&(folio)->page) + (offset))
#define kunmap_local(address) ((void)(address))
#define clear_page(address) memset(address, 0, PAGE_SIZE)
#define copy_page(to, from) memcpy(to, from, PAGE_SIZE)

static inline void clear_highpage(struct page *page)
{
    memset(page_address(page), 0, PAGE_SIZE);
}

static inline void copy_highpage(struct page *to, struct page *from)
{
    memcpy(page_address(to), page_address(from), PAGE_SIZE);
}

#define clear_user_highpage(page, address) clear_highpage(page)
#define copy_user_highpage(to, from, address, vma) copy_highpage(to, from)

static inline void zero_user(struct page *page, unsigned start, unsigned bytes)
{
    memset((char *)page_address(page) + start, 0, bytes);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const void *from, size_t bytes)
{
    memcpy((char *)page_address(page) + offset, from, bytes);
}

static inline void memcpy_from_page(void *to, struct page *page, size_t offset, size_t bytes)
{
    memcpy(to, (const char *)page_address(page) + offset, bytes);
}

#endif
