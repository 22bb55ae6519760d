// SPDX-License-Identifier: BSD-2-Clause
/* Disks. */
#ifndef PAGEMAP_COMPAT_LINUX_BLKDEV_H
#define PAGEMAP_COMPAT_LINUX_BLKDEV_H

#include <linux/blk_types.h>
#include <linux/device.h>
#include <linux/fs.h>

struct badblocks;
struct gendisk;
struct kernfs_node;

struct request_queue {
    unsigned long queue_flags;
    unsigned logical_block_size, physical_block_size, max_hw_sectors;
    bool has_write_cache, has_fua;
    int node;
};

struct block_device {
    struct gendisk *bd_disk;
    sector_t bd_start_sect, bd_nr_sectors;
    struct device bd_device;
    bool bd_read_only;
};

struct block_device_operations {
    struct module *owner;
    void (*submit_bio)(struct bio *bio);
    int (*open)(struct block_device *bdev, fmode_t mode);
    void (*release)(struct gendisk *disk, fmode_t mode);
    int (*rw_page)(struct block_device *bdev, sector_t sector, struct page *page, enum req_op op);
    int (*ioctl)(struct block_device *bdev, fmode_t mode, unsigned command, unsigned long argument);
};

struct gendisk {
    int major, first_minor, minors;
    char disk_name[DISK_NAME_LEN];
    struct block_device *part0;
    const struct block_device_operations *fops;
    struct request_queue *queue;
    void *private_data;
    struct badblocks *bb;
    unsigned long state;
    struct device *parent;
};

enum { QUEUE_FLAG_NONROT = 6, QUEUE_FLAG_IO_STAT = 7, QUEUE_FLAG_DAX = 19, QUEUE_FLAG_SYNCHRONOUS = 11 };

struct gendisk *blk_alloc_disk(int nid);
void put_disk(struct gendisk *disk);
/* From then on pagemap_disk() of pagemap/compat/user.h finds it by its name. -EEXIST: there is one of this name. */
int device_add_disk(struct device *parent, struct gendisk *disk, const struct attribute_group **groups);
void del_gendisk(struct gendisk *disk);

#define add_disk(disk) device_add_disk(NULL, disk, NULL)
#define disk_to_dev(disk) (&(disk)->part0->bd_device)
#define dev_to_disk(device) (container_of(device, struct block_device, bd_device)->bd_disk)
#define blk_queue_flag_set(flag, queue) set_bit(flag, &(queue)->queue_flags)
#define blk_queue_flag_clear(flag, queue) clear_bit(flag, &(queue)->queue_flags)
#define blk_queue_dax(queue) test_bit(QUEUE_FLAG_DAX, &(queue)->queue_flags)
#define blk_queue_io_stat(queue) test_bit(QUEUE_FLAG_IO_STAT, &(queue)->queue_flags)
#define blk_queue_write_cache(queue, cache, fua)                                                             \
    ((queue)->has_write_cache = (cache), (queue)->has_fua = (fua))
#define blk_queue_physical_block_size(queue, bytes) ((void)((queue)->physical_block_size = (bytes)))
#define blk_queue_logical_block_size(queue, bytes) ((void)((queue)->logical_block_size = (bytes)))
#define blk_queue_max_hw_sectors(queue, sectors) ((void)((queue)->max_hw_sectors = (sectors)))
#define bio_start_io_acct(bio) ((void)(bio), 0UL)
#define bio_end_io_acct(bio, start) ((void)(bio), (void)(start))

static inline void set_capacity(struct gendisk *disk, sector_t sectors)
{
    disk->part0->bd_nr_sectors = sectors;
}

static inline sector_t get_capacity(const struct gendisk *disk)
{
    return disk->part0->bd_nr_sectors;
}

static inline void set_disk_ro(struct gendisk *disk, bool read_only)
{
    disk->part0->bd_read_only = read_only;
}

static inline int get_disk_ro(const struct gendisk *disk)
{
    return disk->part0->bd_read_only;
}

#define get_start_sect(bdev) ((bdev)->bd_start_sect)
#define bdev_nr_sectors(bdev) ((bdev)->bd_nr_sectors)
#define bdev_nr_bytes(bdev) ((loff_t)bdev_nr_sectors(bdev) << SECTOR_SHIFT)
#define bdev_read_only(bdev) ((bdev)->bd_read_only)

#endif
