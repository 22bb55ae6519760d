// SPDX-License-Identifier: BSD-2-Clause
/* From pages to where they are mapped. */
#ifndef PAGEMAP_COMPAT_LINUX_RMAP_H
#define PAGEMAP_COMPAT_LINUX_RMAP_H

#include <linux/mm.h>

/*
 * Brings [start, end) in, takes it out of view and tells the notifiers (MMU_NOTIFY_EXCLUSIVE): each touch of the CPU
 * is a fault from then on, which ends the exclusion. How many pages; pages[i] is locked and held, or NULL. pre: the
 * mmap lock, for reading.
 */
int make_device_exclusive_range(struct mm_struct *mm, unsigned long start, unsigned long end,
                                struct page **pages, void *owner);

#endif
