// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: drivers/base/devres.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/device.h"

/* What was reserved, by its bounds: the resource itself may be gone before, by release_mem_region(). */
struct region {
    resource_size_t start, n;
};

struct devres {
    struct devres *older;
    devm_action_fn *action;
    void *data;
    struct region region; /* of release_region(), whose data it is */
};

void device_initialize(struct device *dev, const char *name)
{
    memset(dev, 0, sizeof *dev);
    dev->name = name;
    dev->numa_node = -1;
    dev->kobj._references = 1;
    (void)pthread_mutex_init(&dev->mutex, NULL);
    (void)pthread_mutex_init(&dev->_lock, NULL);
}

static void add(struct device *dev, struct devres *res)
{
    (void)pthread_mutex_lock(&dev->_lock);
    res->older = dev->_newest;
    dev->_newest = res;
    (void)pthread_mutex_unlock(&dev->_lock);
}

int devm_add_action(struct device *dev, devm_action_fn *action, void *data)
{
    struct devres *res = pm_alloc(sizeof *res);

    if (res == NULL) {
        return -ENOMEM;
    }
    res->action = action;
    res->data = data;
    add(dev, res);
    return 0;
}

int devm_add_action_or_reset(struct device *dev, devm_action_fn *action, void *data)
{
    int error = devm_add_action(dev, action, data);

    if (error != 0) {
        action(data);
    }
    return error;
}

typedef bool match_fn(const struct devres *res, const void *context);

/* Takes the newest that matches out of the list; NULL if there is none. */
static struct devres *take(struct device *dev, match_fn *matches, const void *context)
{
    struct devres **link, *res;

    (void)pthread_mutex_lock(&dev->_lock);
    for (link = &dev->_newest; *link != NULL; link = &(*link)->older) {
        if (matches(*link, context)) {
            break;
        }
    }
    res = *link;
    if (res != NULL) {
        *link = res->older;
    }
    (void)pthread_mutex_unlock(&dev->_lock);
    return res;
}

static bool is_any(const struct devres *res, const void *context)
{
    (void)res, (void)context;
    return true;
}

/* One at a time: an action may add or remove others. */
unsigned devres_release_all(struct device *dev)
{
    struct devres *res;
    unsigned count = 0;

    while ((res = take(dev, is_any, NULL)) != NULL) {
        res->action(res->data);
        free(res);
        count++;
    }
    return count;
}

static bool has_same_action(const struct devres *res, const void *context)
{
    const struct devres *other = context;

    return res->action == other->action && res->data == other->data;
}

int devm_remove_action(struct device *dev, devm_action_fn *action, void *data)
{
    const struct devres wanted = {.action = action, .data = data};
    struct devres *res = take(dev, has_same_action, &wanted);

    free(res);
    return res != NULL ? 0 : -ENOENT;
}

int devm_release_action(struct device *dev, devm_action_fn *action, void *data)
{
    if (pm_warn_on(devm_remove_action(dev, action, data) != 0, "devm_release_action() of no action")) {
        return -ENOENT;
    }
    action(data);
    return 0;
}

static void release_region(void *data)
{
    const struct region *region = data;

    release_mem_region(region->start, region->n);
}

/* -ENOMEM: it is released. */
static int add_region(struct device *dev, const struct resource *region)
{
    struct devres *res = pm_alloc(sizeof *res);

    if (res == NULL) {
        release_mem_region(region->start, resource_size(region));
        return -ENOMEM;
    }
    res->action = release_region;
    res->data = &res->region;
    res->region = (struct region){region->start, resource_size(region)};
    add(dev, res);
    return 0;
}

struct resource *devm_request_mem_region(struct device *dev, resource_size_t start, resource_size_t n,
                                         const char *name)
{
    struct resource *region = request_mem_region(start, n, name);

    return region == NULL || add_region(dev, region) != 0 ? NULL : region;
}

struct resource *devm_request_free_mem_region(struct device *dev, struct resource *base, resource_size_t size)
{
    struct resource *region = request_free_mem_region(base, size, dev->name);

    return !IS_ERR(region) && add_region(dev, region) != 0 ? ERR_PTR(-ENOMEM) : region;
}

static bool is_region(const struct devres *res, const void *context)
{
    const struct region *wanted = context;

    return res->action == release_region && res->region.start == wanted->start && res->region.n == wanted->n;
}

void devm_release_mem_region(struct device *dev, resource_size_t start, resource_size_t n)
{
    const struct region wanted = {start, n};
    struct devres *res = take(dev, is_region, &wanted);

    if (!pm_warn_on(res == NULL, "devm_release_mem_region() of a region that the device does not have")) {
        release_region(res->data);
        free(res);
    }
}
