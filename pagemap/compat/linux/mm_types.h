// SPDX-License-Identifier: BSD-2-Clause
/* Address spaces of processes: there is one process, this one, and its areas are views of pagemap. */
#ifndef PAGEMAP_COMPAT_LINUX_MM_TYPES_H
#define PAGEMAP_COMPAT_LINUX_MM_TYPES_H

#include "pagemap/memremap.h"
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

struct file;
struct vm_operations_struct;

typedef struct {
    unsigned long pgprot;
} pgprot_t;

typedef unsigned long vm_flags_t;

/* The same bytes as its first page. */
struct folio {
    union {
        struct {
            uint64_t pm_flags, pm_refcount;
            struct dev_pagemap *pgmap;
            void *zone_device_data;
            uint64_t pm_unused;
            struct address_space *mapping;
            uint64_t index;
            uint64_t private;
        };
        struct page page;
    };
};

struct vm_area_struct {
    unsigned long vm_start, vm_end;
    struct mm_struct *vm_mm;
    pgprot_t vm_page_prot;
    unsigned long vm_flags;
    const struct vm_operations_struct *vm_ops;
    unsigned long vm_pgoff;
    struct file *vm_file;
    void *vm_private_data;
    void *anon_vma;
    struct address_space *pm_mapping; /* of which it is a view; its own, or the file's */
    bool pm_is_anonymous;
    struct list_head pm_list;
};

struct mm_struct {
    struct rw_semaphore mmap_lock;
    atomic_t mm_users, mm_count;
    unsigned long (*get_unmapped_area)(struct file *file, unsigned long address, unsigned long bytes,
                                       unsigned long pgoff, unsigned long flags);
    struct list_head pm_areas;
};

extern struct mm_struct init_mm;

static inline bool mmget_not_zero(struct mm_struct *mm)
{
    return atomic_inc_not_zero(&mm->mm_users);
}

static inline void mmget(struct mm_struct *mm)
{
    atomic_inc(&mm->mm_users);
}

static inline void mmput(struct mm_struct *mm)
{
    atomic_dec(&mm->mm_users);
}

static inline void mmgrab(struct mm_struct *mm)
{
    atomic_inc(&mm->mm_count);
}

static inline void mmdrop(struct mm_struct *mm)
{
    atomic_dec(&mm->mm_count);
}

static inline void mmap_read_lock(struct mm_struct *mm)
{
    down_read(&mm->mmap_lock);
}

static inline void mmap_read_unlock(struct mm_struct *mm)
{
    up_read(&mm->mmap_lock);
}

static inline bool mmap_read_trylock(struct mm_struct *mm)
{
    return down_read_trylock(&mm->mmap_lock) != 0;
}

static inline void mmap_write_lock(struct mm_struct *mm)
{
    down_write(&mm->mmap_lock);
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
    up_write(&mm->mmap_lock);
}

#define mmap_assert_locked(mm) ((void)(mm))
#define mmap_assert_write_locked(mm) ((void)(mm))

#endif
