// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who owns which physical addresses: the tree of resources (kernel: include/linux/ioport.h, kernel/resource.c).
 *
 * A resource lies inside its parent, and siblings do not overlap. Every call takes the tree's lock for a time
 * linear in the number of resources on its way, and none waits for anything else. Not in a signal handler.
 */
#ifndef PAGEMAP_IOPORT_H
#define PAGEMAP_IOPORT_H

#include "pagemap/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IORESOURCE_MEM 0x00000200UL
#define IORESOURCE_SYSRAM 0x01000000UL
#define IORESOURCE_BUSY 0x80000000UL
#define IORESOURCE_SYSTEM_RAM (IORESOURCE_MEM | IORESOURCE_SYSRAM)

/* The links belong to the tree. `start` and `end` in bytes, inclusive. `name` is not copied. */
struct resource {
    resource_size_t start, end;
    const char *name;
    unsigned long flags;
    struct resource *parent, *sibling, *child;
};

static inline resource_size_t resource_size(const struct resource *resource)
{
    return resource->end - resource->start + 1;
}

/* The root: 0..PHYSMEM_END. */
extern struct resource iomem_resource;

/*
 * Puts `new_resource`, the caller's, under `parent` where nothing may be in its way. 0, or -EBUSY, also if it
 * does not lie inside the parent or has end < start.
 */
int request_resource(struct resource *parent, struct resource *new_resource);

/*
 * The same, but goes down into whatever contains it, and takes what it contains as children: for System RAM
 * under a "CXL Window" and the like, in either order. -EBUSY: it overlaps something in part, or is in the tree.
 */
int insert_resource(struct resource *parent, struct resource *new_resource);

/* Takes `old` with its children out. -EINVAL: it is not in the tree. */
int release_resource(struct resource *old);

/* Takes `old` out and leaves its children in its place. -EINVAL: it is not in the tree. */
int remove_resource(struct resource *old);

/*
 * Reserves [start, start + n - 1] as busy memory for `name`, inside any resource that is not busy itself.
 * The resource belongs to the tree until release_mem_region(). NULL where the kernel returns NULL: it is not
 * free (drivers say -EBUSY), n is 0, the end wraps, or memory ran out.
 */
struct resource *request_mem_region(resource_size_t start, resource_size_t n, const char *name);

/* Ends it. WARNs and does nothing if no busy region has exactly these bounds, or other resources lie in it. */
void release_mem_region(resource_size_t start, resource_size_t n);

/*
 * Reserves `size` bytes (rounded up to SUBSECTION_SIZE) that nobody has, as high as possible inside `base` and below PHYSMEM_END, for
 * device-private memory, which has no addresses of its own. Released by release_mem_region(). ERR_PTR(-ERANGE):
 * no hole is large enough; ERR_PTR(-EINVAL): size is 0; ERR_PTR(-ENOMEM).
 */
struct resource *request_free_mem_region(struct resource *base, resource_size_t size, const char *name);

enum { REGION_INTERSECTS, REGION_DISJOINT, REGION_MIXED };

/*
 * How [start, start + size - 1] relates to resources that have all of `flags`, at any depth of the tree:
 * DISJOINT, INTERSECTS if nothing else is in it, MIXED if other resources, or addresses nobody has, are too.
 */
int region_intersects(resource_size_t start, resource_size_t size, unsigned long flags);

#ifdef __cplusplus
}
#endif

#endif
