// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: drivers/base/devres.c (6.1). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/device.h"

struct devres {
    struct devres *older;
    devm_action_fn *action;
    void *data;
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

int devm_add_action(struct device *dev, devm_action_fn *action, void *data)
{
    struct devres *res = pm_alloc(sizeof *res);

    if (res == NULL) {
        return -ENOMEM;
    }
    res->action = action;
    res->data = data;
    (void)pthread_mutex_lock(&dev->_lock);
    res->older = dev->_newest;
    dev->_newest = res;
    (void)pthread_mutex_unlock(&dev->_lock);
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
    struct resource *region = data;

    release_mem_region(region->start, resource_size(region));
}

struct resource *devm_request_mem_region(struct device *dev, resource_size_t start, resource_size_t n,
                                         const char *name)
{
    struct resource *region = request_mem_region(start, n, name);

    if (region == NULL || devm_add_action_or_reset(dev, release_region, region) != 0) {
        return NULL;
    }
    return region;
}

struct resource *devm_request_free_mem_region(struct device *dev, struct resource *base, resource_size_t size)
{
    struct resource *region = request_free_mem_region(base, size, dev->name);

    if (!IS_ERR(region) && devm_add_action_or_reset(dev, release_region, region) != 0) {
        return ERR_PTR(-ENOMEM);
    }
    return region;
}

static bool is_region(const struct devres *res, const void *context)
{
    const struct range *bounds = context;
    const struct resource *region = res->action == release_region ? res->data : NULL;

    return region != NULL && region->start == bounds->start && region->end == bounds->end;
}

void devm_release_mem_region(struct device *dev, resource_size_t start, resource_size_t n)
{
    const struct range bounds = {start, start + (n - 1)};
    struct devres *res = take(dev, is_region, &bounds);

    if (!pm_warn_on(res == NULL, "devm_release_mem_region() of a region that the device does not have")) {
        release_region(res->data);
        free(res);
    }
}
