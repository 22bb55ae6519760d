// SPDX-License-Identifier: BSD-2-Clause
/* Pages of files: those of pagemap. */
#ifndef PAGEMAP_COMPAT_LINUX_PAGEMAP_H
#define PAGEMAP_COMPAT_LINUX_PAGEMAP_H

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#define page_offset(page) ((loff_t)(page)->index << PAGE_SHIFT)
#define wait_on_page_locked(page) (lock_page(page), unlock_page(page))
#define end_page_writeback(page) ((void)(page))

static inline void page_endio(struct page *page, bool is_write, int error)
{
    (void)page, (void)is_write, (void)error;
}

#endif
