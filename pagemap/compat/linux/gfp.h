// SPDX-License-Identifier: BSD-2-Clause
/* Flags of allocations, and pages of ordinary memory (pagemap/compat/user.h says where they come from). */
#ifndef PAGEMAP_COMPAT_LINUX_GFP_H
#define PAGEMAP_COMPAT_LINUX_GFP_H

#include <linux/mmzone.h>
#include <linux/types.h>

struct page;
struct vm_area_struct;

#define __GFP_ZERO 0x100u
#define __GFP_NOWARN 0x200u
#define __GFP_NOFAIL 0x400u
#define __GFP_NORETRY 0x800u
#define __GFP_COMP 0x1000u
#define __GFP_HIGHMEM 0x2000u
#define __GFP_MOVABLE 0x4000u
#define __GFP_THISNODE 0x8000u
#define __GFP_RETRY_MAYFAIL 0x10000u
#define __GFP_ACCOUNT 0x20000u
#define __GFP_RECLAIM 0x1u
#define __GFP_DMA32 0x40000u
#define GFP_KERNEL __GFP_RECLAIM
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_ATOMIC 0x2u
#define GFP_NOWAIT 0x2u
#define GFP_NOIO 0x4u
#define GFP_NOFS 0x8u
#define GFP_USER 0x10u
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE GFP_HIGHUSER_MOVABLE
#define GFP_DMA32 __GFP_DMA32

/* 1 << order pages in a row, each with one reference of its own; NULL: there are none. */
struct page *alloc_pages(gfp_t flags, unsigned order);
struct page *alloc_pages_node(int nid, gfp_t flags, unsigned order);
void __free_pages(struct page *page, unsigned order);
void free_pages(unsigned long address, unsigned order);
unsigned long __get_free_pages(gfp_t flags, unsigned order);

#define alloc_page(flags) alloc_pages(flags, 0)
#define alloc_page_vma(flags, vma, address) ((void)(vma), (void)(address), alloc_pages(flags, 0))
#define alloc_pages_exact(bytes, flags) ((void *)__get_free_pages(flags, get_order(bytes)))
#define __free_page(page) __free_pages(page, 0)
#define __get_free_page(flags) __get_free_pages(flags, 0)
#define get_zeroed_page(flags) __get_free_pages((flags) | __GFP_ZERO, 0)
#define free_page(address) free_pages(address, 0)

#endif
