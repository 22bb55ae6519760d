// SPDX-License-Identifier: BSD-2-Clause
/* Memory that is mapped in place of a page cache (drivers/dax of the kernel). */
#ifndef PAGEMAP_COMPAT_LINUX_DAX_H
#define PAGEMAP_COMPAT_LINUX_DAX_H

#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/radix-tree.h>

struct block_device;
struct dax_device;
struct gendisk;
struct iov_iter;
struct kmem_cache;

typedef unsigned long dax_entry_t;

enum dax_access_mode { DAX_ACCESS, DAX_RECOVERY_WRITE };

struct dax_operations {
    long (*direct_access)(struct dax_device *dax_dev, pgoff_t pgoff, long nr_pages, enum dax_access_mode mode,
                          void **kaddr, pfn_t *pfn);
    bool (*dax_supported)(struct dax_device *dax_dev, struct block_device *bdev, int blocksize,
                          sector_t start, sector_t sectors);
    int (*zero_page_range)(struct dax_device *dax_dev, pgoff_t pgoff, size_t nr_pages);
    size_t (*recovery_write)(struct dax_device *dax_dev, pgoff_t pgoff, void *addr, size_t bytes,
                             struct iov_iter *iter);
};

struct dax_holder_operations {
    int (*notify_failure)(struct dax_device *dax_dev, u64 offset, u64 len, int mf_flags);
};

/* drivers/dax/super.c */
struct dax_device *alloc_dax(void *data, const struct dax_operations *ops);
void *dax_holder(struct dax_device *dax_dev);
void put_dax(struct dax_device *dax_dev);
void kill_dax(struct dax_device *dax_dev);
bool dax_alive(struct dax_device *dax_dev);
void *dax_get_private(struct dax_device *dax_dev);
void dax_write_cache(struct dax_device *dax_dev, bool wc);
bool dax_write_cache_enabled(struct dax_device *dax_dev);
bool dax_synchronous(struct dax_device *dax_dev);
void set_dax_synchronous(struct dax_device *dax_dev);
void set_dax_nocache(struct dax_device *dax_dev);
void set_dax_nomc(struct dax_device *dax_dev);
int dax_read_lock(void);
void dax_read_unlock(int id);
long dax_direct_access(struct dax_device *dax_dev, pgoff_t pgoff, long nr_pages, enum dax_access_mode mode,
                       void **kaddr, pfn_t *pfn);
size_t dax_copy_from_iter(struct dax_device *dax_dev, pgoff_t pgoff, void *addr, size_t bytes,
                          struct iov_iter *iter);
size_t dax_copy_to_iter(struct dax_device *dax_dev, pgoff_t pgoff, void *addr, size_t bytes,
                        struct iov_iter *iter);
int dax_zero_page_range(struct dax_device *dax_dev, pgoff_t pgoff, size_t nr_pages);
size_t dax_recovery_write(struct dax_device *dax_dev, pgoff_t pgoff, void *addr, size_t bytes,
                          struct iov_iter *iter);
int dax_holder_notify_failure(struct dax_device *dax_dev, u64 offset, u64 len, int mf_flags);
void dax_flush(struct dax_device *dax_dev, void *addr, size_t size);
int dax_add_host(struct dax_device *dax_dev, struct gendisk *disk);
void dax_remove_host(struct gendisk *disk);
struct dax_device *fs_dax_get_by_bdev(struct block_device *bdev, u64 *start_off, void *holder,
                                      const struct dax_holder_operations *ops);
void fs_put_dax(struct dax_device *dax_dev, void *holder);
struct dax_device *inode_dax(struct inode *inode);
struct inode *dax_inode(struct dax_device *dax_dev);

static inline bool dax_mapping(struct address_space *mapping)
{
    const struct inode *inode = mapping->host;

    return inode != NULL && IS_DAX(inode);
}

static inline bool vma_is_dax(const struct vm_area_struct *vma)
{
    return vma->vm_file != NULL && vma->vm_file->f_mapping != NULL && dax_mapping(vma->vm_file->f_mapping);
}

static inline bool vma_is_fsdax(const struct vm_area_struct *vma)
{
    return vma_is_dax(vma) && (file_inode(vma->vm_file)->i_mode & S_IFMT) != S_IFCHR;
}

/*
 * dax_break_layout(mapping, start, end) of pagemap/fs.h, and the form of 6.15: 0 when no page is busy, and all that
 * have a byte in [start, end] were taken out of the file; or if it is no DAX mapping. As long as one is busy, cb() is
 * called, which drops its lock, waits a while by schedule(), and takes it again; -ERESTARTSYS: there is no cb.
 */
int pagemap_compat_dax_break_layout(struct inode *inode, loff_t start, loff_t end,
                                    void (*cb)(struct inode *inode));
#define PM_FOURTH_FORM(first, second, third, fourth, form, ...) form
#define dax_break_layout(...)                                                                                \
    PM_FOURTH_FORM(__VA_ARGS__, pagemap_compat_dax_break_layout, (dax_break_layout), 0, 0, 0)(__VA_ARGS__)
#define dax_break_layout_inode(inode, cb) pagemap_compat_dax_break_layout(inode, 0, S64_MAX, cb)

/* As of 6.15: waits by itself, and takes all pages out of the file. Nothing for what is no DAX mapping. */
void dax_break_layout_final(struct inode *inode);

/* As of 6.15, whose idle pages have no reference. */
static inline bool dax_page_is_idle(struct page *page)
{
    return page != NULL && page_ref_count(page) == 0;
}

/* drivers/dax/hmem/device.c */
void hmem_register_device(int target_nid, struct resource *res);

#endif
