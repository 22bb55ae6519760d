// SPDX-License-Identifier: BSD-2-Clause
/* unmap_mapping_range() of pagemap, which forgets what faults of drivers brought in. */
#ifndef PAGEMAP_COMPAT_LINUX_UNMAP_H
#define PAGEMAP_COMPAT_LINUX_UNMAP_H

#include "pagemap/fs.h"
#include <linux/types.h>

/*
 * The pages that vmf_insert_mixed() and its like put into the file go with their last view: they were in page tables,
 * not in the page cache. Pages that filemap_add_pages() inserted stay in the file, absent.
 */
void pagemap_compat_unmap_mapping_range(struct address_space *mapping, loff_t start, loff_t bytes,
                                        int even_cows);

#define unmap_mapping_range(mapping, start, bytes, even_cows)                                                \
    pagemap_compat_unmap_mapping_range(mapping, start, bytes, even_cows)
#define unmap_mapping_pages(mapping, index, nr, even_cows)                                                   \
    pagemap_compat_unmap_mapping_range(mapping, (loff_t)(index) << PAGE_SHIFT, (loff_t)(nr) << PAGE_SHIFT,   \
                                       even_cows)

#endif
