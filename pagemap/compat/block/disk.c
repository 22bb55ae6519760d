// SPDX-License-Identifier: BSD-2-Clause
/* Disks whose drivers take bios, and reading and writing them. Kernel: block/ (6.1). */
#include <linux/blkdev.h>

#include "pagemap/compat/user.h"

static const struct {
    blk_status_t status;
    int error;
} statuses[] = {
    {BLK_STS_OK, 0}, {BLK_STS_NOTSUPP, -EOPNOTSUPP}, {BLK_STS_RESOURCE, -ENOMEM}, {BLK_STS_IOERR, -EIO}};

int blk_status_to_errno(blk_status_t status)
{
    for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].error;
        }
    }
    return -EIO;
}

blk_status_t errno_to_blk_status(int error)
{
    for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].error == error) {
            return statuses[i].status;
        }
    }
    return BLK_STS_IOERR;
}

void bio_endio(struct bio *bio)
{
    if (bio->bi_end_io != NULL) {
        bio->bi_end_io(bio);
    }
}

void submit_bio(struct bio *bio)
{
    bio->bi_bdev->bd_disk->fops->submit_bio(bio);
}

/* ---- disks ---- */

static void release_disk(struct device *dev)
{
    struct gendisk *disk = dev_to_disk(dev);

    kfree(disk->queue);
    kfree(disk->part0);
    kfree(disk);
}

struct gendisk *blk_alloc_disk(int nid)
{
    struct gendisk *disk = kzalloc_node(sizeof *disk, GFP_KERNEL, nid);
    struct request_queue *queue = kzalloc_node(sizeof *queue, GFP_KERNEL, nid);
    struct block_device *part0 = kzalloc_node(sizeof *part0, GFP_KERNEL, nid);

    if (disk == NULL || queue == NULL || part0 == NULL) {
        kfree(disk);
        kfree(queue);
        kfree(part0);
        return NULL;
    }
    device_initialize(&part0->bd_device);
    part0->bd_device.release = release_disk;
    part0->bd_disk = disk;
    disk->part0 = part0;
    disk->queue = queue;
    return disk;
}

void put_disk(struct gendisk *disk)
{
    if (disk != NULL) {
        put_device(disk_to_dev(disk));
    }
}

int device_add_disk(struct device *parent, struct gendisk *disk, const struct attribute_group **groups)
{
    struct device *there = pagemap_compat_find_device(disk->disk_name);
    int error = there != NULL ? -EEXIST : dev_set_name(disk_to_dev(disk), "%s", disk->disk_name);

    put_device(there);
    disk_to_dev(disk)->parent = parent;
    disk_to_dev(disk)->groups = groups;
    return error != 0 ? error : device_add(disk_to_dev(disk));
}

void del_gendisk(struct gendisk *disk)
{
    device_del(disk_to_dev(disk));
}

struct gendisk *pagemap_compat_disk(const char *name)
{
    struct device *dev = pagemap_compat_find_device(name);
    struct gendisk *disk = dev == NULL || dev->release != release_disk ? NULL : dev_to_disk(dev);

    put_device(dev);
    return disk;
}

/* A page at a time. */
static int do_bio(struct gendisk *disk, uint64_t sector, struct page *page, unsigned bytes, enum req_op op)
{
    struct bio_vec vec = {page, bytes, 0};
    struct bio bio = {.bi_bdev = disk->part0,
                      .bi_opf = op,
                      .bi_iter = {.bi_sector = sector, .bi_size = bytes},
                      .bi_vcnt = 1,
                      .bi_io_vec = &vec};

    submit_bio(&bio);
    return blk_status_to_errno(bio.bi_status);
}

int pagemap_compat_disk_rw(struct gendisk *disk, uint64_t sector, void *buffer, size_t bytes, bool is_write)
{
    struct page *page = alloc_page(GFP_KERNEL);
    int error = page == NULL ? -ENOMEM : 0;

    if (error == 0 && (bytes % SECTOR_SIZE != 0 || sector > get_capacity(disk) ||
                       bytes / SECTOR_SIZE > get_capacity(disk) - sector)) {
        error = -EINVAL;
    }
    for (size_t done = 0; done < bytes && error == 0;) {
        size_t n = min(bytes - done, PAGE_SIZE);

        if (is_write) {
            memcpy(page_address(page), (char *)buffer + done, n);
        }
        error = do_bio(disk, sector + done / SECTOR_SIZE, page, (unsigned)n,
                       is_write ? REQ_OP_WRITE : REQ_OP_READ);
        if (error == 0 && !is_write) {
            memcpy((char *)buffer + done, page_address(page), n);
        }
        done += n;
    }
    if (page != NULL) {
        __free_page(page);
    }
    return error;
}
