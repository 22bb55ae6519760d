// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which physical addresses have which owner: the tree of resources (kernel: include/linux/ioport.h, kernel/resource.c).
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
#define IORESOURCE_SYSRAM_DRIVER_MANAGED 0x02000000UL
#define IORESOURCE_MUXED 0x00400000UL
#define IORESOURCE_EXCLUSIVE 0x08000000UL
#define IORESOURCE_UNSET 0x20000000UL
#define IORESOURCE_BUSY 0x80000000UL
#define IORESOURCE_TYPE_BITS 0x00001f00UL
#define IORESOURCE_EXT_TYPE_BITS 0x01000000UL /* IORESOURCE_SYSRAM */
#define IORESOURCE_SYSTEM_RAM (IORESOURCE_MEM | IORESOURCE_SYSRAM)

/* What it is, to walk_iomem_res_desc(). */
enum {
    IORES_DESC_NONE,
    IORES_DESC_CRASH_KERNEL,
    IORES_DESC_ACPI_TABLES,
    IORES_DESC_ACPI_NV_STORAGE,
    IORES_DESC_PERSISTENT_MEMORY,
    IORES_DESC_PERSISTENT_MEMORY_LEGACY,
    IORES_DESC_DEVICE_PRIVATE_MEMORY,
    IORES_DESC_RESERVED,
    IORES_DESC_SOFT_RESERVED,
    IORES_DESC_CXL
};

/* The links belong to the tree. `start` and `end` in bytes, inclusive. `name` is not copied. */
struct resource {
    resource_size_t start, end;
    const char *name;
    unsigned long flags;
    unsigned long desc; /* an IORES_DESC_ */
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

/* Which of its direct children begins at `start`, or NULL. */
struct resource *lookup_resource(struct resource *root, resource_size_t start);

/*
 * Moves the bounds of a resource in the tree. -EBUSY: they would leave its parent, overlap a sibling or no longer
 * contain its children, or size is 0; -EINVAL: it is not in the tree. Past siblings, too, which the kernel refuses.
 */
int adjust_resource(struct resource *res, resource_size_t start, resource_size_t size);

/* Moves a place found for `size` bytes in [start of the hole, end of the hole] up; returns the new start. */
typedef resource_size_t resource_alignf(void *data, const struct resource *hole, resource_size_t size,
                                        resource_size_t align);

/*
 * Puts `new_resource`, the caller's, under `root` at the lowest multiple of `align` (a power of two; 0 as 1) in [min,
 * max] where `size` bytes are free; `alignf` may be NULL. 0, -EBUSY: there is no such place; -EINVAL: size is 0.
 */
int allocate_resource(struct resource *root, struct resource *new_resource, resource_size_t size,
                      resource_size_t min, resource_size_t max, resource_size_t align,
                      resource_alignf *alignf, void *alignf_data);

/*
 * Calls func(part, arg) for each resource, at any depth, that has all of `flags` and, unless desc is IORES_DESC_NONE,
 * this desc, in order of address: a copy of it, cut down to [start, end]. Ends when func returns something else than
 * 0, and returns that; -EINVAL: there was none, or end < start. The tree's lock is not held during func.
 */
int walk_iomem_res_desc(unsigned long desc, unsigned long flags, uint64_t start, uint64_t end, void *arg,
                        int (*func)(struct resource *part, void *arg));

/*
 * request_mem_region() and release_mem_region() under another root, and with `flags` beside IORESOURCE_BUSY and the
 * type, IORESOURCE_SYSRAM included, of the resource in which it comes to lie, which gives it its desc, too.
 */
struct resource *__request_region(struct resource *parent, resource_size_t start, resource_size_t n,
                                  const char *name, int flags);
void __release_region(struct resource *parent, resource_size_t start, resource_size_t n);

/*
 * Reserves [start, start + n - 1] as busy memory for `name`, inside any resource that is not busy itself.
 * The resource belongs to the tree until release_mem_region(). NULL where the kernel returns NULL: it is not
 * free (drivers say -EBUSY), n is 0, the end wraps, or memory ran out.
 */
struct resource *request_mem_region(resource_size_t start, resource_size_t n, const char *name);

/* Ends it. WARNs and does nothing if no busy region has exactly these bounds, or other resources lie in it. */
void release_mem_region(resource_size_t start, resource_size_t n);

/*
 * Reserves `size` bytes (rounded up to SECTION_SIZE, 128 MiB, and aligned to it) that are free, as high as possible
 * inside `base` and below PHYSMEM_END, for device-private memory, which has no addresses of its own. Released by
 * release_mem_region(). ERR_PTR(-ERANGE): no hole is large enough; ERR_PTR(-EINVAL): size is 0; ERR_PTR(-ENOMEM).
 */
struct resource *request_free_mem_region(struct resource *base, resource_size_t size, const char *name);

enum { REGION_INTERSECTS, REGION_DISJOINT, REGION_MIXED };

/*
 * How [start, start + size - 1] relates to resources that have all of `flags` and, unless desc is IORES_DESC_NONE, this
 * desc, at any depth of the tree: DISJOINT: none is in it; MIXED: also others are, or parts of others in which none
 * is; INTERSECTS: nothing else is. Free addresses count for nothing. size 0: DISJOINT.
 */
int region_intersects(resource_size_t start, resource_size_t size, unsigned long flags, unsigned long desc);

#ifdef __cplusplus
}
#endif

#endif
