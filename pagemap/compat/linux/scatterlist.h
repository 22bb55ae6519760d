// SPDX-License-Identifier: BSD-2-Clause
/* Pieces of memory for DMA. */
#ifndef PAGEMAP_COMPAT_LINUX_SCATTERLIST_H
#define PAGEMAP_COMPAT_LINUX_SCATTERLIST_H

#include <linux/mm.h>

struct scatterlist {
    unsigned long page_link; /* a page; bit 1: the last */
    unsigned offset, length;
    dma_addr_t dma_address;
    unsigned dma_length, dma_flags;
};

struct sg_table {
    struct scatterlist *sgl;
    unsigned nents, orig_nents;
};

#define SG_END 2UL
#define SG_DMA_BUS_ADDRESS 1u
#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg) ((sg)->dma_length)

static inline struct page *sg_page(const struct scatterlist *sg)
{
    return (struct page *)(sg->page_link & ~3UL);
}

static inline bool sg_is_last(const struct scatterlist *sg)
{
    return (sg->page_link & SG_END) != 0;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
    return sg_is_last(sg) ? NULL : sg + 1;
}

static inline void sg_init_table(struct scatterlist *sg, unsigned n)
{
    memset(sg, 0, n * sizeof *sg);
    sg[n - 1].page_link = SG_END;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned length, unsigned offset)
{
    sg->page_link = (unsigned long)page | (sg->page_link & 3);
    sg->offset = offset;
    sg->length = length;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buffer, unsigned length)
{
    sg_set_page(sg, virt_to_page(buffer), length, offset_in_page(buffer));
}

static inline void sg_init_one(struct scatterlist *sg, const void *buffer, unsigned length)
{
    sg_init_table(sg, 1);
    sg_set_buf(sg, buffer, length);
}

static inline void *sg_virt(const struct scatterlist *sg)
{
    return (char *)page_address(sg_page(sg)) + sg->offset;
}

static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
    return page_to_phys(sg_page(sg)) + sg->offset;
}

static inline void sg_dma_mark_bus_address(struct scatterlist *sg)
{
    sg->dma_flags |= SG_DMA_BUS_ADDRESS;
}

static inline bool sg_is_dma_bus_address(const struct scatterlist *sg)
{
    return (sg->dma_flags & SG_DMA_BUS_ADDRESS) != 0;
}

static inline void sg_dma_unmark_bus_address(struct scatterlist *sg)
{
    sg->dma_flags &= ~SG_DMA_BUS_ADDRESS;
}

#define for_each_sg(list, sg, n, i) for ((i) = 0, (sg) = (list); (i) < (n); (i)++, (sg) = sg_next(sg))

#endif
