// SPDX-License-Identifier: BSD-2-Clause
/* What the parts of memory management share. */
#ifndef PAGEMAP_COMPAT_MM_MM_H
#define PAGEMAP_COMPAT_MM_MM_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

/* Whether this allocation is the one that pagemap_compat_fail_after() asked to fail. */
bool pm_alloc_fails(gfp_t flags);

/* A view keeps its file open. */
void pm_file_get(struct file *file);
void pm_file_put(struct file *file);

/*
 * What virt_to_page() knows: [linear, linear + bytes) are pages of `owner`, from `pfn` on. -ENOMEM. remove: all of
 * the owner's, once it is unmapped.
 */
int pm_linear_add(const struct dev_pagemap *owner, const void *linear, uint64_t bytes, uint64_t pfn);
void pm_linear_remove(const struct dev_pagemap *owner);

/*
 * pagemap's memunmap_pages(), again until memory suffices, as it is void in the kernel. -EPERM and -EDEADLK: it
 * stays.
 */
int pm_unmap(struct dev_pagemap *pgmap);

/* Ordinary memory and its pages. */
bool pm_is_ram(const struct page *page);

/* Makes the plugged memory there ordinary memory, whose region `name` is in the resource tree. As add_memory(). */
int pm_ram_add(uint64_t start, uint64_t bytes, const char *name, struct pagemap_memory *memory);
int pm_ram_remove(uint64_t start, uint64_t bytes);

/*
 * Held while a hole is filled: a thread that finds a hole under it may fill it. Comes after the mmap lock and the lock
 * of a page.
 */
void pm_lock_holes(void);
void pm_unlock_holes(void);

/*
 * Taken for reading by a thread that finds a file by a page, and for writing while a file ends. Comes after the mmap
 * lock and locks of drivers, before the lock of holes.
 */
extern struct rw_semaphore pm_files;

/* Whether its last bit of mapping->flags says that drivers' faults put pages in. */
#define PM_HAS_FAULTED 0x80000000u

/* A fault at an address: 0, or the bits of a failure; SIGSEGV if no area has it. */
vm_fault_t pm_fault_at(unsigned long address, bool is_write, bool *has_area);

/* pagemap_compat_fault(), which also says whether an area has the address. */
int pm_bring_in(unsigned long address, bool is_write, bool *has_area);

/* Whether the page at the address, in an area or not, can be read. */
bool pm_is_present(unsigned long address);

/* filemap_remove_pages(), again until memory suffices: a thread that unmaps has no caller to tell. */
void pm_take_out(struct address_space *mapping, uint64_t start, uint64_t end);

/*
 * Moves a COHERENT page, on which only the caller and its file have references, to ordinary memory. -EBUSY: another
 * holder has one, or there is no memory.
 */
int migrate_device_coherent_page(struct page *page);

/* One page of the file: takes it out of views, and brings it back. */
void pm_hide_page(struct address_space *mapping, pgoff_t index);
void pm_show_page(struct address_space *mapping, pgoff_t index);

/* Tells all notifiers of a change of [start, end). */
void pm_notify(enum mmu_notifier_event event, unsigned long start, unsigned long end, void *owner);

#endif
