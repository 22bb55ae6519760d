// SPDX-License-Identifier: BSD-2-Clause
/* What the other headers have in common: addresses, ranges, pages, errors in pointers. */
#ifndef PAGEMAP_TYPES_H
#define PAGEMAP_TYPES_H

#if !defined(__linux__)
#error "pagemap is for Linux"
#elif !defined(__GNUC__) || __SIZEOF_POINTER__ != 8 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "pagemap needs gcc or clang and a 64-bit little-endian target, as rangemap does"
#endif

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t resource_size_t; /* a physical address, or a number of bytes */
typedef resource_size_t phys_addr_t;

/* A page, in bytes. The system headers that define these too agree with us or we do not compile. */
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL

#define PHYS_PFN(address) ((address) >> PAGE_SHIFT)
#define PFN_PHYS(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)

/*
 * Physical addresses end here, inclusive: 64 TiB, as x86-64 with four levels of page tables. The memmap of all of
 * them takes 1 TiB of address space, for which ThreadSanitizer leaves no room: 8 TiB there.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAX_PHYSMEM_BITS 43
#endif
#endif
#if !defined(MAX_PHYSMEM_BITS) && defined(__SANITIZE_THREAD__)
#define MAX_PHYSMEM_BITS 43
#endif
#if !defined(MAX_PHYSMEM_BITS)
#define MAX_PHYSMEM_BITS 46
#endif
#define PHYSMEM_END ((UINT64_C(1) << MAX_PHYSMEM_BITS) - 1)

/* What a device's range must be aligned to, in bytes; what one populated piece of vmemmap covers at best. */
#define SUBSECTION_SIZE (UINT64_C(2) << 20)
#define SECTION_SIZE (UINT64_C(128) << 20)

/* Two forms of a function under one name: which of them follows from the number of arguments. */
#define PM_SECOND_FORM(first, second, form, ...) form
#define PM_THIRD_FORM(first, second, third, form, ...) form

/* Bytes, both inclusive. */
struct range {
    uint64_t start, end;
};

static inline uint64_t range_len(const struct range *range)
{
    return range->end - range->start + 1;
}

/* Private: the node of a tree (base/interval.h) in a structure that the caller allocates. */
struct pm_interval {
    struct pm_interval *parent, *child[2];
    uint64_t first, last, last_below;
};

/* A negative errno in place of a pointer. */
static inline void *ERR_PTR(long error)
{
    return (void *)error;
}

static inline long PTR_ERR(const void *pointer)
{
    return (long)(intptr_t)pointer;
}

static inline bool IS_ERR(const void *pointer)
{
    return (uintptr_t)pointer >= (uintptr_t)-4095;
}

#endif
