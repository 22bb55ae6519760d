// SPDX-License-Identifier: BSD-2-Clause
/* The tree of resources: that of pagemap. */
#ifndef PAGEMAP_COMPAT_LINUX_IOPORT_H
#define PAGEMAP_COMPAT_LINUX_IOPORT_H

#include "pagemap/ioport.h"
#include <linux/types.h>

static inline bool resource_contains(const struct resource *outer, const struct resource *inner)
{
    return outer->start <= inner->start && outer->end >= inner->end;
}

static inline bool resource_overlaps(const struct resource *a, const struct resource *b)
{
    return a->start <= b->end && a->end >= b->start;
}

static inline unsigned long resource_type(const struct resource *resource)
{
    return resource->flags & IORESOURCE_TYPE_BITS;
}

#define DEFINE_RES_NAMED(first, bytes, its_name, its_flags)                                                  \
    (struct resource)                                                                                        \
    {                                                                                                        \
        .start = (first), .end = (first) + (bytes)-1, .name = (its_name), .flags = (its_flags),              \
        .desc = IORES_DESC_NONE,                                                                             \
    }
#define DEFINE_RES_MEM(first, bytes) DEFINE_RES_NAMED(first, bytes, NULL, IORESOURCE_MEM)
#define DEFINE_RES_MEM_NAMED(first, bytes, name) DEFINE_RES_NAMED(first, bytes, name, IORESOURCE_MEM)
#define IORESOURCE_IO 0x100UL
#define IORESOURCE_IRQ 0x400UL
#define IORESOURCE_PREFETCH 0x2000UL
#define IORESOURCE_READONLY 0x4000UL
#define IORESOURCE_MEM_64 0x100000UL

#endif
