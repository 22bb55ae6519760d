// SPDX-License-Identifier: BSD-2-Clause
/* Requests to block devices. */
#ifndef PAGEMAP_COMPAT_LINUX_BLK_TYPES_H
#define PAGEMAP_COMPAT_LINUX_BLK_TYPES_H

#include <linux/mm.h>

#define SECTOR_SHIFT 9
#define SECTOR_SIZE (1 << SECTOR_SHIFT)
#define DISK_NAME_LEN 32

typedef u8 blk_status_t;
typedef u32 blk_opf_t;

enum { BLK_STS_OK = 0, BLK_STS_NOTSUPP = 1, BLK_STS_RESOURCE = 9, BLK_STS_IOERR = 10 };

enum req_op { REQ_OP_READ = 0, REQ_OP_WRITE = 1, REQ_OP_FLUSH = 2, REQ_OP_DISCARD = 3 };
#define REQ_OP_MASK 0xffu
#define REQ_FUA (1u << 17)
#define REQ_PREFLUSH (1u << 18)

struct block_device;

struct bio_vec {
    struct page *bv_page;
    unsigned bv_len, bv_offset;
};

struct bvec_iter {
    sector_t bi_sector;
    unsigned bi_size, bi_idx, bi_bvec_done;
};

struct bio {
    struct bio *bi_next;
    struct block_device *bi_bdev;
    blk_opf_t bi_opf;
    blk_status_t bi_status;
    struct bvec_iter bi_iter;
    void (*bi_end_io)(struct bio *bio);
    void *bi_private;
    unsigned short bi_vcnt;
    struct bio_vec *bi_io_vec;
};

#define bio_op(bio) ((enum req_op)((bio)->bi_opf & REQ_OP_MASK))
#define op_is_write(op) (((op)&1) != 0)
#define bio_sectors(bio) ((bio)->bi_iter.bi_size >> SECTOR_SHIFT)

/* The part of a page that comes next, and the step beyond it. */
static inline struct bio_vec bio_iter_iovec(const struct bio *bio, struct bvec_iter iter)
{
    struct bio_vec vec = bio->bi_io_vec[iter.bi_idx];

    vec.bv_offset += iter.bi_bvec_done;
    vec.bv_len = min(vec.bv_len - iter.bi_bvec_done, iter.bi_size);
    return vec;
}

static inline void bio_advance_iter(const struct bio *bio, struct bvec_iter *iter, unsigned bytes)
{
    (void)bio;
    iter->bi_sector += bytes >> SECTOR_SHIFT;
    iter->bi_size -= bytes;
    iter->bi_idx++;
    iter->bi_bvec_done = 0;
}

#define bio_for_each_segment(vec, bio, iter)                                                                 \
    for ((iter) = (bio)->bi_iter; (iter).bi_size > 0 && ((vec) = bio_iter_iovec(bio, iter), true);           \
         bio_advance_iter(bio, &(iter), (vec).bv_len))

int blk_status_to_errno(blk_status_t status);
blk_status_t errno_to_blk_status(int error);
void bio_endio(struct bio *bio);
/* Gives it to its disk's driver. */
void submit_bio(struct bio *bio);

#endif
