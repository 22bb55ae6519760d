// SPDX-License-Identifier: BSD-2-Clause
/* Areas of the process: views of files, with their drivers' functions. Kernel: mm/mmap.c (6.1). */
#include <linux/dax.h>
#include <linux/mman.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

static unsigned long no_unmapped_area(struct file *file, unsigned long address, unsigned long bytes,
                                      unsigned long pgoff, unsigned long flags)
{
    (void)file, (void)address, (void)bytes, (void)pgoff, (void)flags;
    return (unsigned long)-ENOMEM; /* pagemap_compat_mmap() finds the place itself */
}

struct mm_struct init_mm = {
    .mmap_lock = __RWSEM_INITIALIZER(init_mm.mmap_lock),
    .mm_users = ATOMIC_INIT(1),
    .mm_count = ATOMIC_INIT(1),
    .get_unmapped_area = no_unmapped_area,
    .pm_areas = LIST_HEAD_INIT(init_mm.pm_areas),
};

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *vma, *found = NULL;

    list_for_each_entry(vma, &mm->pm_areas, pm_list)
    {
        if (address < vma->vm_end && (found == NULL || vma->vm_start < found->vm_start)) {
            found = vma;
        }
    }
    return found;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *vma = find_vma(mm, address);

    return vma != NULL && vma->vm_start <= address ? vma : NULL;
}

/* ---- making and ending ---- */

static unsigned long flags_of(int prot, int flags)
{
    unsigned long vm_flags = VM_MAYREAD | VM_MAYWRITE;

    vm_flags |= (prot & PROT_READ) != 0 ? VM_READ : 0;
    vm_flags |= (prot & PROT_WRITE) != 0 ? VM_WRITE : 0;
    return vm_flags | ((flags & MAP_SHARED) != 0 ? VM_SHARED | VM_MAYSHARE : 0);
}

static struct address_space *anonymous_mapping(void)
{
    struct address_space *mapping = kzalloc(sizeof *mapping, GFP_KERNEL);

    if (mapping != NULL && address_space_init(mapping, "anonymous", NULL) != 0) {
        kfree(mapping);
        mapping = NULL;
    }
    return mapping;
}

/* What huge faults need: areas of that size begin at multiples of it. */
static size_t alignment_for(size_t bytes)
{
    return bytes >= PUD_SIZE ? PUD_SIZE : bytes >= PMD_SIZE ? PMD_SIZE : PAGE_SIZE;
}

DECLARE_RWSEM(pm_files);

static void free_area(struct vm_area_struct *vma)
{
    if (vma->pm_is_anonymous && vma->pm_mapping != NULL) {
        down_write(&pm_files);
        WARN_ON(address_space_destroy(vma->pm_mapping) != 0);
        up_write(&pm_files);
        kfree(vma->pm_mapping);
    }
    kfree(vma);
}

static struct vm_area_struct *new_area(struct file *file, size_t bytes, int prot, int flags,
                                       unsigned long pgoff)
{
    struct vm_area_struct *vma = kzalloc(sizeof *vma, GFP_KERNEL);
    void *start;

    if (vma == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    vma->vm_mm = &init_mm;
    vma->vm_flags = flags_of(prot, flags);
    vma->vm_pgoff = pgoff;
    vma->vm_file = file;
    vma->pm_is_anonymous = file == NULL;
    vma->pm_mapping = file == NULL ? anonymous_mapping() : file->f_mapping;
    start = vma->pm_mapping == NULL ? ERR_PTR(-ENOMEM)
                                    : vm_mmap_aligned(vma->pm_mapping, bytes, prot,
                                                      (uint64_t)pgoff << PAGE_SHIFT, alignment_for(bytes));
    if (IS_ERR(start)) {
        free_area(vma);
        return start;
    }
    vma->vm_start = (unsigned long)start;
    vma->vm_end = vma->vm_start + bytes;
    return vma;
}

/* Whether another area shows the same file. pre: the mmap lock. */
static bool is_shared(const struct vm_area_struct *vma)
{
    struct vm_area_struct *other;

    list_for_each_entry(other, &init_mm.pm_areas, pm_list)
    {
        if (other != vma && other->pm_mapping == vma->pm_mapping) {
            return true;
        }
    }
    return false;
}

static bool has_faulted(const struct address_space *mapping)
{
    return (__atomic_load_n(&mapping->flags, __ATOMIC_RELAXED) & PM_HAS_FAULTED) != 0;
}

void pm_take_out(struct address_space *mapping, uint64_t start, uint64_t end)
{
    while (filemap_remove_pages(mapping, start, end) == -ENOMEM) {
        (void)pagemap_barrier();
    }
}

/*
 * pre: the mmap lock, for writing. What faults brought in goes with the last area that shows it. -ENOMEM: mappings
 * ran out, and the area stays.
 */
static int end_area(struct vm_area_struct *vma)
{
    uint64_t first = (uint64_t)vma->vm_pgoff << PAGE_SHIFT;
    bool is_last = vma->pm_is_anonymous || (has_faulted(vma->pm_mapping) && !is_shared(vma));

    if (vm_munmap((void *)vma->vm_start, vma->vm_end - vma->vm_start) != 0) {
        return -ENOMEM;
    }
    list_del(&vma->pm_list);
    if (is_last) {
        pm_take_out(vma->pm_mapping, first, first + (vma->vm_end - vma->vm_start) - 1);
    }
    return 0;
}

static int call_mmap(struct vm_area_struct *vma)
{
    int error;

    if (vma->vm_file == NULL) {
        return 0;
    }
    error = vma->vm_file->f_op->mmap == NULL ? -ENODEV : vma->vm_file->f_op->mmap(vma->vm_file, vma);
    return error;
}

void *pagemap_compat_mmap(struct file *file, size_t bytes, int prot, int flags, unsigned long pgoff)
{
    struct vm_area_struct *vma;
    int error;

    if (bytes == 0 || offset_in_page(bytes) != 0 || (flags & (MAP_SHARED | MAP_PRIVATE)) == 0) {
        return ERR_PTR(-EINVAL);
    }
    mmap_write_lock(&init_mm);
    vma = new_area(file, bytes, prot, flags, pgoff);
    if (IS_ERR(vma)) {
        mmap_write_unlock(&init_mm);
        return vma;
    }
    list_add_tail(&vma->pm_list, &init_mm.pm_areas);
    error = call_mmap(vma);
    if (error != 0) {
        WARN_ON(end_area(vma) != 0);
    } else if (file != NULL) {
        pm_file_get(file);
    }
    mmap_write_unlock(&init_mm);
    if (error != 0) {
        free_area(vma);
        return ERR_PTR(error);
    }
    return (void *)vma->vm_start;
}

int pagemap_compat_munmap(void *start, size_t bytes)
{
    struct vm_area_struct *vma;

    mmap_write_lock(&init_mm);
    vma = vma_lookup(&init_mm, (unsigned long)start);
    if (vma == NULL || vma->vm_start != (unsigned long)start || vma->vm_end - vma->vm_start != bytes) {
        mmap_write_unlock(&init_mm);
        return -EINVAL;
    }
    if (end_area(vma) != 0) {
        mmap_write_unlock(&init_mm);
        return -ENOMEM;
    }
    if (vma->vm_ops != NULL && vma->vm_ops->close != NULL) {
        vma->vm_ops->close(vma);
    }
    mmap_write_unlock(&init_mm);
    if (vma->vm_file != NULL) {
        pm_file_put(vma->vm_file);
    }
    free_area(vma);
    return 0;
}

/* ---- revoking ---- */

void pagemap_compat_unmap_mapping_range(struct address_space *mapping, loff_t start, loff_t bytes,
                                        int even_cows)
{
    uint64_t first = (uint64_t)start,
             last = bytes == 0 ? UINT64_MAX : (first + (uint64_t)bytes - 1) | ~PAGE_MASK;

    if (has_faulted(mapping)) {
        pm_take_out(mapping, first & PAGE_MASK, last);
    } else {
        (unmap_mapping_range)(mapping, first, (uint64_t)bytes, even_cows);
    }
}

void pm_hide_page(struct address_space *mapping, pgoff_t index)
{
    (unmap_mapping_range)(mapping, (uint64_t)index << PAGE_SHIFT, PAGE_SIZE, 0);
}

void pm_show_page(struct address_space *mapping, pgoff_t index)
{
    /* Out of memory it stays absent, and the next touch tries again. */
    (void)map_mapping_range(mapping, (uint64_t)index << PAGE_SHIFT, PAGE_SIZE);
}

/* Whoever has the page may need the lock that cb() drops: so nothing is waited for but in cb(). */
int pagemap_compat_dax_break_layout(struct inode *inode, loff_t start, loff_t end,
                                    void (*cb)(struct inode *inode))
{
    if (!dax_mapping(inode->i_mapping)) {
        return 0;
    }
    while (dax_layout_busy_page_range(inode->i_mapping, (uint64_t)start, (uint64_t)end) != NULL) {
        if (cb == NULL) {
            return -ERESTARTSYS;
        }
        cb(inode);
    }
    pm_take_out(inode->i_mapping, (uint64_t)start & PAGE_MASK, (uint64_t)end | ~PAGE_MASK);
    return 0;
}

void dax_break_layout_final(struct inode *inode)
{
    if (dax_mapping(inode->i_mapping)) {
        (dax_break_layout)(inode->i_mapping, 0, UINT64_MAX);
        pm_take_out(inode->i_mapping, 0, UINT64_MAX);
    }
}
