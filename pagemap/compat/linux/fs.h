// SPDX-License-Identifier: BSD-2-Clause
/* Files, inodes and what they point to. Address spaces are those of pagemap/fs.h. */
#ifndef PAGEMAP_COMPAT_LINUX_FS_H
#define PAGEMAP_COMPAT_LINUX_FS_H

#include "pagemap/fs.h"
#include <fcntl.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/stat.h>
#include <linux/uio.h>
#include <linux/xarray.h>

struct cdev;
struct dentry;
struct device;
struct file_system_type;
struct fs_context;
struct iov_iter;
struct kiocb;
struct kstatfs;
struct module;
struct super_block;
struct vm_area_struct;
struct writeback_control;

typedef void *fl_owner_t;

struct inode {
    umode_t i_mode;
    unsigned i_flags;
    dev_t i_rdev;
    unsigned long i_ino, i_state;
    loff_t i_size;
    unsigned i_blkbits;
    struct super_block *i_sb;
    struct address_space *i_mapping;
    struct address_space i_data;
    struct cdev *i_cdev;
    const struct file_operations *i_fop;
    void *i_private;
    atomic_t i_count;
    struct rw_semaphore i_rwsem;
    struct list_head i_devices;
    struct inode *pm_next; /* of the super block */
};

#define i_mmap_rwsem i_rwsem

struct file {
    const struct file_operations *f_op;
    struct inode *f_inode;
    struct address_space *f_mapping;
    void *private_data;
    unsigned f_flags;
    fmode_t f_mode;
    loff_t f_pos;
    unsigned f_wb_err, f_sb_err;
    atomic_t f_count;
    struct device *pm_device;
};

struct file_operations {
    struct module *owner;
    loff_t (*llseek)(struct file *file, loff_t offset, int whence);
    ssize_t (*read)(struct file *file, char *to, size_t bytes, loff_t *at);
    ssize_t (*write)(struct file *file, const char *from, size_t bytes, loff_t *at);
    ssize_t (*read_iter)(struct kiocb *kiocb, struct iov_iter *iter);
    ssize_t (*write_iter)(struct kiocb *kiocb, struct iov_iter *iter);
    long (*unlocked_ioctl)(struct file *file, unsigned command, unsigned long argument);
    long (*compat_ioctl)(struct file *file, unsigned command, unsigned long argument);
    int (*mmap)(struct file *file, struct vm_area_struct *vma);
    unsigned long mmap_supported_flags;
    int (*open)(struct inode *inode, struct file *file);
    int (*flush)(struct file *file, fl_owner_t id);
    int (*release)(struct inode *inode, struct file *file);
    int (*fsync)(struct file *file, loff_t start, loff_t end, int datasync);
    unsigned long (*get_unmapped_area)(struct file *file, unsigned long address, unsigned long bytes,
                                       unsigned long pgoff, unsigned long flags);
};

struct address_space_operations {
    bool (*dirty_folio)(struct address_space *mapping, struct folio *folio);
    int (*writepage)(struct page *page, struct writeback_control *control);
    int (*writepages)(struct address_space *mapping, struct writeback_control *control);
    void (*invalidate_folio)(struct folio *folio, size_t offset, size_t bytes);
    ssize_t (*direct_IO)(struct kiocb *kiocb, struct iov_iter *iter);
};

struct super_operations {
    struct inode *(*alloc_inode)(struct super_block *sb);
    void (*destroy_inode)(struct inode *inode);
    void (*free_inode)(struct inode *inode);
    int (*drop_inode)(struct inode *inode);
    void (*evict_inode)(struct inode *inode);
    int (*statfs)(struct dentry *dentry, struct kstatfs *statistics);
};

struct super_block {
    const struct super_operations *s_op;
    void *s_fs_info;
    unsigned long s_magic;
    spinlock_t pm_lock;
    struct inode *pm_inodes;
};

struct file_system_type {
    const char *name;
    int fs_flags;
    int (*init_fs_context)(struct fs_context *context);
    void (*kill_sb)(struct super_block *sb);
    struct module *owner;
};

#define I_NEW (1u << 3)
#define S_DAX (1u << 13)
#define IS_DAX(inode) (((inode)->i_flags & S_DAX) != 0)
#define FMODE_READ 1u
#define FMODE_WRITE 2u

static inline struct inode *file_inode(const struct file *file)
{
    return file->f_inode;
}

static inline unsigned iminor(const struct inode *inode)
{
    return MINOR(inode->i_rdev);
}

static inline unsigned imajor(const struct inode *inode)
{
    return MAJOR(inode->i_rdev);
}

static inline loff_t i_size_read(const struct inode *inode)
{
    return inode->i_size;
}

static inline void i_size_write(struct inode *inode, loff_t bytes)
{
    inode->i_size = bytes;
}

static inline void mapping_set_gfp_mask(struct address_space *mapping, gfp_t mask)
{
    mapping->gfp_mask = mask;
}

static inline gfp_t mapping_gfp_mask(const struct address_space *mapping)
{
    return mapping->gfp_mask;
}

/* Everything of an inode but its address space, which comes with iget5_locked() and new_inode(). */
void inode_init_once(struct inode *inode);
void *pagemap_compat_alloc_inode(struct kmem_cache *cache, gfp_t flags);
#define alloc_inode_sb(sb, cache, flags) ((void)(sb), pagemap_compat_alloc_inode(cache, flags))
/* The inode of `sb` that test() accepts, or a new one, I_NEW, on which set() was called. NULL: -ENOMEM. */
struct inode *iget5_locked(struct super_block *sb, unsigned long hash,
                           int (*test)(struct inode *inode, void *data),
                           int (*set)(struct inode *inode, void *data), void *data);
struct inode *new_inode(struct super_block *sb);
void unlock_new_inode(struct inode *inode);
struct inode *igrab(struct inode *inode);
void ihold(struct inode *inode);
/* The last one ends the inode. */
void iput(struct inode *inode);
int generic_delete_inode(struct inode *inode);
void kill_anon_super(struct super_block *sb);

int register_chrdev_region(dev_t first, unsigned count, const char *name);
int alloc_chrdev_region(dev_t *first, unsigned base_minor, unsigned count, const char *name);
void unregister_chrdev_region(dev_t first, unsigned count);
loff_t noop_llseek(struct file *file, loff_t offset, int whence);
loff_t default_llseek(struct file *file, loff_t offset, int whence);
int nonseekable_open(struct inode *inode, struct file *file);
bool noop_dirty_folio(struct address_space *mapping, struct folio *folio);
int simple_statfs(struct dentry *dentry, struct kstatfs *statistics);

#define filemap_sample_wb_err(mapping) ((mapping)->wb_err)
#define file_sample_sb_err(file) ((void)(file), 0u)
#define i_mmap_lock_write(mapping) ((void)(mapping))
#define i_mmap_unlock_write(mapping) ((void)(mapping))
#define filemap_invalidate_lock(mapping) ((void)(mapping))
#define filemap_invalidate_unlock(mapping) ((void)(mapping))

/*
 * What the kernel has in page tables alone is in the file here: both forms also take pages out that faults brought
 * in.
 */
#include <linux/unmap.h>

#endif
