// SPDX-License-Identifier: BSD-2-Clause
/* Finding places in the tree of resources, changing them and walking over them. Kernel: kernel/resource.c (6.1). */
#include <errno.h>

#include "pagemap/resource/tree.h"

struct resource *lookup_resource(struct resource *root, resource_size_t start)
{
    struct resource *at;

    pm_resource_lock();
    for (at = root->child; at != NULL && at->start != start;) {
        at = at->sibling;
    }
    pm_resource_unlock();
    return at;
}

/* Whether all children of `res` lie in [start, end], and its siblings outside. */
static bool may_be(const struct resource *res, resource_size_t start, resource_size_t end)
{
    for (const struct resource *child = res->child; child != NULL; child = child->sibling) {
        if (child->start < start || child->end > end) {
            return false;
        }
    }
    for (const struct resource *other = res->parent->child; other != NULL; other = other->sibling) {
        if (other != res && pm_resource_overlaps(other, start, end)) {
            return false;
        }
    }
    return start >= res->parent->start && end <= res->parent->end;
}

/* To where may_be() has seen that there is room; among its siblings to where it then belongs. */
static void move(struct resource *res, resource_size_t start, resource_size_t end)
{
    struct resource **link = &res->parent->child;

    while (*link != NULL && *link != res) {
        link = &(*link)->sibling;
    }
    *link = res->sibling;
    res->start = start;
    res->end = end;
    (void)pm_resource_link(res->parent, res);
}

int adjust_resource(struct resource *res, resource_size_t start, resource_size_t size)
{
    int error = -EBUSY;

    pm_resource_lock();
    if (res->parent == NULL) {
        error = -EINVAL;
    } else if (size > 0 && start + (size - 1) >= start && may_be(res, start, start + (size - 1))) {
        move(res, start, start + (size - 1));
        error = 0;
    }
    pm_resource_unlock();
    return error;
}

struct wanted {
    resource_size_t size, min, max, align;
    resource_alignf *alignf;
    void *alignf_data;
};

/* Whether it fits into the hole [first, last]; then *start is where. */
static bool fits(const struct wanted *wanted, const struct resource *root, resource_size_t first,
                 resource_size_t last, resource_size_t *start)
{
    struct resource hole = {.start = first > wanted->min ? first : wanted->min,
                            .end = last < wanted->max ? last : wanted->max,
                            .flags = root->flags};
    resource_size_t aligned = (hole.start + (wanted->align - 1)) & ~(wanted->align - 1);

    if (aligned < hole.start || hole.start > hole.end) {
        return false;
    }
    hole.start = aligned;
    *start = wanted->alignf == NULL ? aligned
                                    : wanted->alignf(wanted->alignf_data, &hole, wanted->size, wanted->align);
    return *start >= aligned && *start <= hole.end && wanted->size - 1 <= hole.end - *start;
}

static bool find_place(const struct wanted *wanted, const struct resource *root, resource_size_t *start)
{
    resource_size_t first = root->start;

    for (const struct resource *at = root->child; at != NULL; at = at->sibling) {
        if (at->start > first && fits(wanted, root, first, at->start - 1, start)) {
            return true;
        }
        if (at->end >= root->end) {
            return false;
        }
        first = at->end + 1;
    }
    return fits(wanted, root, first, root->end, start);
}

int allocate_resource(struct resource *root, struct resource *new_resource, resource_size_t size,
                      resource_size_t min, resource_size_t max, resource_size_t align,
                      resource_alignf *alignf, void *alignf_data)
{
    const struct wanted wanted = {size, min, max, align == 0 ? 1 : align, alignf, alignf_data};
    resource_size_t start;
    bool found;

    if (size == 0) {
        return -EINVAL;
    }
    pm_resource_lock();
    found = find_place(&wanted, root, &start);
    if (found) {
        new_resource->start = start;
        new_resource->end = start + (size - 1);
        found = pm_resource_link(root, new_resource) == NULL;
    }
    pm_resource_unlock();
    return found ? 0 : -EBUSY;
}

/* A copy of the first that matches and has something of [start, end], cut down to it. */
static bool next_match(unsigned long desc, unsigned long flags, uint64_t start, uint64_t end,
                       struct resource *part)
{
    const struct resource *at;

    pm_resource_lock();
    at = pm_resource_next(&iomem_resource);
    while (at != NULL && ((at->flags & flags) != flags || (desc != IORES_DESC_NONE && at->desc != desc) ||
                          !pm_resource_overlaps(at, start, end))) {
        at = pm_resource_next(at);
    }
    if (at != NULL) {
        *part = *at;
    }
    pm_resource_unlock();
    if (at != NULL) {
        part->start = part->start < start ? start : part->start;
        part->end = part->end > end ? end : part->end;
        part->parent = part->sibling = part->child = NULL;
    }
    return at != NULL;
}

int walk_iomem_res_desc(unsigned long desc, unsigned long flags, uint64_t start, uint64_t end, void *arg,
                        int (*func)(struct resource *part, void *arg))
{
    struct resource part;
    int result = -EINVAL;

    while (start <= end && next_match(desc, flags, start, end, &part)) {
        result = func(&part, arg);
        if (result != 0 || part.end == UINT64_MAX) {
            break;
        }
        start = part.end + 1;
    }
    return result;
}
