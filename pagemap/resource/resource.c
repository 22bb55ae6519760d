// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: kernel/resource.c (6.1), beside which it is to be read whole: more than 400 lines. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/ioport.h"
#include "pagemap/resource/tree.h"

struct resource iomem_resource = {0, PHYSMEM_END, "PCI mem", IORESOURCE_MEM, 0, NULL, NULL, NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void pm_resource_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void pm_resource_unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* Whether `resource` is `outer`, or lies in it. */
static bool is_inside(const struct resource *resource, const struct resource *outer)
{
    while (resource != NULL && resource != outer) {
        resource = resource->parent;
    }
    return resource != NULL;
}

struct resource *pm_resource_link(struct resource *parent, struct resource *fresh)
{
    struct resource **link = &parent->child;

    if (fresh->end < fresh->start || !pm_resource_contains(parent, fresh) || is_inside(parent, fresh)) {
        return parent;
    }
    while (*link != NULL && (*link)->end < fresh->start) {
        link = &(*link)->sibling;
    }
    if (*link != NULL && (*link)->start <= fresh->end) {
        return *link;
    }
    fresh->sibling = *link;
    fresh->parent = parent;
    *link = fresh;
    return NULL;
}

/* The link that points to `old`, or NULL if it is not in the tree. */
static struct resource **link_to(const struct resource *old)
{
    struct resource **link = old->parent == NULL ? NULL : &old->parent->child;

    while (link != NULL && *link != NULL && *link != old) {
        link = &(*link)->sibling;
    }
    return link == NULL || *link == NULL ? NULL : link;
}

static void unlink_from(struct resource **link, struct resource *old)
{
    *link = old->sibling;
    old->parent = NULL;
    old->sibling = NULL;
}

int request_resource(struct resource *parent, struct resource *new_resource)
{
    struct resource *conflict;

    (void)pthread_mutex_lock(&lock);
    conflict = pm_resource_link(parent, new_resource);
    (void)pthread_mutex_unlock(&lock);
    return conflict == NULL ? 0 : -EBUSY;
}

/* The innermost descendant of `parent` that contains `fresh` and is not of the very same bounds. */
static struct resource *innermost(struct resource *parent, const struct resource *fresh)
{
    struct resource *child = parent->child;

    while (child != NULL) {
        if (pm_resource_contains(child, fresh) &&
            (child->start != fresh->start || child->end != fresh->end)) {
            parent = child;
            child = child->child;
        } else {
            child = child->sibling;
        }
    }
    return parent;
}

/*
 * Whether it is `fresh`, or has it inside: then all that is between has the same bounds. Not by the links of `fresh`,
 * which are whatever its owner left there if it is new.
 */
static bool is_or_holds(const struct resource *resource, const struct resource *fresh)
{
    while (resource != NULL && resource != fresh && resource->start == fresh->start &&
           resource->end == fresh->end) {
        resource = resource->child;
    }
    return resource == fresh;
}

/* Puts `fresh` between `parent` and those of its children that it contains; false: one sticks out, or it is there. */
static bool adopt(struct resource *parent, struct resource *fresh)
{
    struct resource **first = &parent->child, **after;

    while (*first != NULL && (*first)->end < fresh->start) {
        first = &(*first)->sibling;
    }
    for (after = first; *after != NULL && pm_resource_overlaps(*after, fresh->start, fresh->end);
         after = &(*after)->sibling) {
        if (is_or_holds(*after, fresh) || !pm_resource_contains(fresh, *after)) {
            return false;
        }
    }
    fresh->parent = parent;
    fresh->sibling = *after;
    fresh->child = after == first ? NULL : *first;
    *after = NULL; /* ends the children; or is *first itself, set next */
    *first = fresh;
    for (struct resource *child = fresh->child; child != NULL; child = child->sibling) {
        child->parent = fresh;
    }
    return true;
}

int insert_resource(struct resource *parent, struct resource *new_resource)
{
    bool done = false;

    (void)pthread_mutex_lock(&lock);
    if (new_resource->end >= new_resource->start && pm_resource_contains(parent, new_resource) &&
        !is_inside(parent, new_resource)) {
        done = adopt(innermost(parent, new_resource), new_resource);
    }
    (void)pthread_mutex_unlock(&lock);
    return done ? 0 : -EBUSY;
}

int release_resource(struct resource *old)
{
    struct resource **link;

    (void)pthread_mutex_lock(&lock);
    link = link_to(old);
    if (link != NULL) {
        unlink_from(link, old);
    }
    (void)pthread_mutex_unlock(&lock);
    return link != NULL ? 0 : -EINVAL;
}

int remove_resource(struct resource *old)
{
    struct resource **link;

    (void)pthread_mutex_lock(&lock);
    link = link_to(old);
    if (link != NULL) {
        struct resource *after = old->sibling, *parent = old->parent;

        *link = old->child;
        for (; *link != NULL; link = &(*link)->sibling) {
            (*link)->parent = parent;
        }
        *link = after;
        old->parent = old->sibling = old->child = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    return link != NULL ? 0 : -EINVAL;
}

/* Of no bounds and no type yet. */
static struct resource *new_region(const char *name)
{
    struct resource *region = pm_alloc(sizeof *region);

    if (region != NULL) {
        region->name = name;
    }
    return region;
}

/* Down through what contains it and is not busy, as __request_region_locked(): of the type of what it lies in. */
static bool link_region(struct resource *parent, struct resource *region, unsigned long flags)
{
    const unsigned long types = IORESOURCE_TYPE_BITS | IORESOURCE_EXT_TYPE_BITS;

    for (;;) {
        struct resource *conflict;

        region->flags = (parent->flags & types) | flags | IORESOURCE_BUSY;
        region->desc = parent->desc;
        conflict = pm_resource_link(parent, region);
        if (conflict == NULL) {
            return true;
        }
        if (conflict == parent || (conflict->flags & IORESOURCE_BUSY) != 0) {
            return false;
        }
        parent = conflict;
    }
}

struct resource *__request_region(struct resource *parent, resource_size_t start, resource_size_t n,
                                  const char *name, int flags)
{
    struct resource *region = n == 0 ? NULL : new_region(name);
    bool linked;

    if (region == NULL) {
        return NULL;
    }
    region->start = start;
    region->end = start + (n - 1); /* what wraps is not linked */
    (void)pthread_mutex_lock(&lock);
    linked = link_region(parent, region, (unsigned)flags);
    (void)pthread_mutex_unlock(&lock);
    if (!linked) {
        free(region);
        return NULL;
    }
    return region;
}

struct resource *request_mem_region(resource_size_t start, resource_size_t n, const char *name)
{
    return __request_region(&iomem_resource, start, n, name, 0);
}

/* The busy region of these bounds below `root`, or NULL. */
static struct resource *find_region(const struct resource *root, resource_size_t start, resource_size_t end)
{
    struct resource *at = root->child;

    while (at != NULL) {
        if (at->start > start || at->end < end) {
            at = at->sibling;
        } else if ((at->flags & IORESOURCE_BUSY) != 0 && at->start == start && at->end == end) {
            return at;
        } else {
            at = at->child;
        }
    }
    return NULL;
}

void __release_region(struct resource *parent, resource_size_t start, resource_size_t n)
{
    struct resource *region;

    (void)pthread_mutex_lock(&lock);
    region = find_region(parent, start, start + (n - 1));
    if (region != NULL && region->child != NULL) {
        region = NULL; /* they would be left with a parent that is no more */
    }
    if (region != NULL) {
        unlink_from(link_to(region), region);
    }
    (void)pthread_mutex_unlock(&lock);
    (void)pm_warn_on(region == NULL,
                     "release_mem_region() of a region that nobody has, or that others lie in");
    free(region);
}

void release_mem_region(resource_size_t start, resource_size_t n)
{
    __release_region(&iomem_resource, start, n);
}

static resource_size_t section_below(resource_size_t address)
{
    return address - address % SECTION_SIZE;
}

/* The highest aligned start of a hole of `size` bytes directly under the root, inside base; UINT64_MAX: none. */
static resource_size_t find_hole(const struct resource *base, resource_size_t size)
{
    resource_size_t end = base->end < iomem_resource.end ? base->end : iomem_resource.end, start;

    if (size - 1 > end) {
        return UINT64_MAX;
    }
    start = section_below(end - (size - 1));
    for (;;) {
        const struct resource *last = NULL;

        for (const struct resource *at = iomem_resource.child; at != NULL; at = at->sibling) {
            last = pm_resource_overlaps(at, start, start + (size - 1)) ? at : last;
        }
        if (last == NULL) {
            return start >= base->start ? start : UINT64_MAX;
        }
        if (last->start < size) {
            return UINT64_MAX;
        }
        start = section_below(last->start - size);
    }
}

struct resource *request_free_mem_region(struct resource *base, resource_size_t size, const char *name)
{
    const resource_size_t sections = section_below(size + SECTION_SIZE - 1);
    struct resource *region;
    resource_size_t start;

    if (size == 0 || sections < size) {
        return ERR_PTR(size == 0 ? -EINVAL : -ERANGE);
    }
    region = new_region(name);
    if (region == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    (void)pthread_mutex_lock(&lock);
    start = find_hole(base, sections);
    if (start != UINT64_MAX) {
        region->flags = IORESOURCE_MEM | IORESOURCE_BUSY;
        region->desc = IORES_DESC_DEVICE_PRIVATE_MEMORY;
        region->start = start;
        region->end = start + (sections - 1);
        (void)pm_resource_link(&iomem_resource, region); /* a hole of the root: nothing is in its way */
    }
    (void)pthread_mutex_unlock(&lock);
    if (start == UINT64_MAX) {
        free(region);
        return ERR_PTR(-ERANGE);
    }
    return region;
}

/* The next resource of the tree after `at`, children before siblings. */
const struct resource *pm_resource_next(const struct resource *at)
{
    if (at->child != NULL) {
        return at->child;
    }
    while (at != NULL && at->sibling == NULL) {
        at = at->parent;
    }
    return at == NULL ? NULL : at->sibling;
}

/* What region_intersects() looks for, in [start, end]; what it has seen of it, and of others. */
struct question {
    resource_size_t start, end;
    unsigned long flags, desc;
    bool any, others;
};

static bool is_wanted(const struct question *question, const struct resource *at)
{
    return (at->flags & question->flags) == question->flags &&
           (question->desc == IORES_DESC_NONE || at->desc == question->desc);
}

/*
 * Whether what `outer`, which is not wanted, has in [start, end] lies in resources in it that are: System RAM under a
 * "CXL Window" (bug 39). Those come in order of address, before all that is beyond `outer`.
 */
static bool is_covered(struct question *question, const struct resource *outer)
{
    resource_size_t from = outer->start > question->start ? outer->start : question->start;
    const resource_size_t last = outer->end < question->end ? outer->end : question->end;

    for (const struct resource *at = pm_resource_next(outer); at != NULL && at->start <= last;
         at = pm_resource_next(at)) {
        if (!is_wanted(question, at) || at->end < from) {
            continue;
        }
        question->any = true;
        if (at->start > from || at->end >= last) {
            return at->start <= from;
        }
        from = at->end + 1;
    }
    return false;
}

/* As __region_intersects() of 6.12, which mends 6.1's: that looked at the children of the root alone. */
int region_intersects(resource_size_t start, resource_size_t size, unsigned long flags, unsigned long desc)
{
    struct question question = {start, start + (size - 1), flags, desc, false, false};

    (void)pthread_mutex_lock(&lock);
    for (const struct resource *at = iomem_resource.child; at != NULL && size > 0; at = at->sibling) {
        if (!pm_resource_overlaps(at, start, question.end)) {
            continue;
        }
        if (is_wanted(&question, at)) {
            question.any = true;
        } else if (!is_covered(&question, at)) {
            question.others = true;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return !question.any ? REGION_DISJOINT : question.others ? REGION_MIXED : REGION_INTERSECTS;
}
