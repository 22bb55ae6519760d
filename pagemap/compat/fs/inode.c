// SPDX-License-Identifier: BSD-2-Clause
/* Inodes and pseudo file systems. Kernel: fs/inode.c, fs/libfs.c (6.1). */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "pagemap/compat/mm/mm.h"

static DEFINE_MUTEX(lock); /* of the list of inodes of all super blocks */

void inode_init_once(struct inode *inode)
{
    memset(inode, 0, sizeof *inode);
    INIT_LIST_HEAD(&inode->i_devices);
    init_rwsem(&inode->i_rwsem);
}

void *pagemap_compat_alloc_inode(struct kmem_cache *cache, gfp_t flags)
{
    return kmem_cache_alloc(cache, flags);
}

static struct inode *plain_inode(void)
{
    struct inode *inode = kzalloc(sizeof *inode, GFP_KERNEL);

    if (inode != NULL) {
        inode_init_once(inode);
    }
    return inode;
}

static void free_inode(struct inode *inode)
{
    const struct super_operations *ops = inode->i_sb == NULL ? NULL : inode->i_sb->s_op;

    if (ops != NULL && ops->destroy_inode != NULL) {
        ops->destroy_inode(inode);
    }
    if (ops != NULL && ops->free_inode != NULL) {
        ops->free_inode(inode);
    } else if (ops == NULL || ops->alloc_inode == NULL) {
        kfree(inode);
    }
}

struct inode *new_inode(struct super_block *sb)
{
    struct inode *inode = sb != NULL && sb->s_op != NULL && sb->s_op->alloc_inode != NULL
                              ? sb->s_op->alloc_inode(sb)
                              : plain_inode();

    if (inode == NULL) {
        return NULL;
    }
    inode->i_sb = sb;
    atomic_set(&inode->i_count, 1);
    if (address_space_init(&inode->i_data, "inode", inode) != 0) {
        free_inode(inode);
        return NULL;
    }
    inode->i_mapping = &inode->i_data;
    return inode;
}

struct inode *iget5_locked(struct super_block *sb, unsigned long hash,
                           int (*test)(struct inode *inode, void *data),
                           int (*set)(struct inode *inode, void *data), void *data)
{
    struct inode *inode;

    (void)hash;
    mutex_lock(&lock);
    for (inode = sb->pm_inodes; inode != NULL && !test(inode, data);) {
        inode = inode->pm_next;
    }
    if (inode != NULL) {
        atomic_inc(&inode->i_count);
    } else if ((inode = new_inode(sb)) != NULL) {
        (void)set(inode, data);
        inode->i_state |= I_NEW;
        inode->pm_next = sb->pm_inodes;
        sb->pm_inodes = inode;
    }
    mutex_unlock(&lock);
    return inode;
}

void unlock_new_inode(struct inode *inode)
{
    inode->i_state &= ~(unsigned long)I_NEW;
}

struct inode *igrab(struct inode *inode)
{
    return atomic_inc_not_zero(&inode->i_count) ? inode : NULL;
}

void ihold(struct inode *inode)
{
    atomic_inc(&inode->i_count);
}

static void forget(struct inode *inode)
{
    struct inode **link = &inode->i_sb->pm_inodes;

    while (*link != NULL && *link != inode) {
        link = &(*link)->pm_next;
    }
    if (*link != NULL) {
        *link = inode->pm_next;
    }
}

void iput(struct inode *inode)
{
    bool last;

    if (inode == NULL) {
        return;
    }
    mutex_lock(&lock);
    last = atomic_dec_and_test(&inode->i_count);
    if (last && inode->i_sb != NULL) {
        forget(inode);
    }
    mutex_unlock(&lock);
    if (last) {
        pm_take_out(&inode->i_data, 0, UINT64_MAX);
        down_write(&pm_files);
        WARN_ON(address_space_destroy(&inode->i_data) != 0);
        up_write(&pm_files);
        free_inode(inode);
    }
}

int generic_delete_inode(struct inode *inode)
{
    (void)inode;
    return 1;
}

/* ---- file systems ---- */

struct pseudo_fs_context *init_pseudo(struct fs_context *context, unsigned long magic)
{
    struct pseudo_fs_context *made = kzalloc(sizeof *made, GFP_KERNEL);

    if (made != NULL) {
        made->magic = magic;
        context->fs_private = made;
    }
    return made;
}

/* A super block of what the type's context says. */
static struct super_block *new_super(struct file_system_type *type)
{
    struct fs_context context = {NULL};
    int error = type->init_fs_context == NULL ? 0 : type->init_fs_context(&context);
    struct pseudo_fs_context *pseudo = context.fs_private;
    struct super_block *sb = error != 0 ? NULL : kzalloc(sizeof *sb, GFP_KERNEL);

    if (sb != NULL && pseudo != NULL) {
        sb->s_op = pseudo->ops;
        sb->s_magic = pseudo->magic;
    }
    kfree(pseudo);
    return sb;
}

struct vfsmount *kern_mount(struct file_system_type *type)
{
    struct super_block *sb = new_super(type);
    struct vfsmount *mnt = sb == NULL ? NULL : kzalloc(sizeof *mnt, GFP_KERNEL);

    if (mnt == NULL) {
        kfree(sb);
        return ERR_PTR(-ENOMEM);
    }
    mnt->mnt_sb = sb;
    mnt->pm_type = type;
    return mnt;
}

void kill_anon_super(struct super_block *sb)
{
    WARN_ON(sb->pm_inodes != NULL);
}

void kern_unmount(struct vfsmount *mnt)
{
    if (IS_ERR_OR_NULL(mnt)) {
        return;
    }
    if (mnt->pm_type->kill_sb != NULL) {
        mnt->pm_type->kill_sb(mnt->mnt_sb);
    }
    kfree(mnt->mnt_sb);
    kfree(mnt);
}

int simple_statfs(struct dentry *dentry, struct kstatfs *statistics)
{
    (void)dentry, (void)statistics;
    return 0;
}

bool noop_dirty_folio(struct address_space *mapping, struct folio *folio)
{
    (void)mapping, (void)folio;
    return false;
}
