// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: drivers/base/devres.c (6.1). */
#include <errno.h>
#include <stdlib.h>

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
    dev->name = name;
    dev->newest = NULL;
    (void)pthread_mutex_init(&dev->lock, NULL);
}

int devm_add_action(struct device *dev, devm_action_fn *action, void *data)
{
    struct devres *res = pm_alloc(sizeof *res);

    if (res == NULL) {
        return -ENOMEM;
    }
    res->action = action;
    res->data = data;
    (void)pthread_mutex_lock(&dev->lock);
    res->older = dev->newest;
    dev->newest = res;
    (void)pthread_mutex_unlock(&dev->lock);
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

/* Takes the newest that matches (action NULL: any) out of the list; NULL if there is none. */
static struct devres *take(struct device *dev, devm_action_fn *action, const void *data)
{
    struct devres **link, *res;

    (void)pthread_mutex_lock(&dev->lock);
    for (link = &dev->newest; *link != NULL; link = &(*link)->older) {
        if (action == NULL || ((*link)->action == action && (*link)->data == data)) {
            break;
        }
    }
    res = *link;
    if (res != NULL) {
        *link = res->older;
    }
    (void)pthread_mutex_unlock(&dev->lock);
    return res;
}

/* One at a time: an action may add or remove others. */
unsigned devres_release_all(struct device *dev)
{
    struct devres *res;
    unsigned count = 0;

    while ((res = take(dev, NULL, NULL)) != NULL) {
        res->action(res->data);
        free(res);
        count++;
    }
    return count;
}

int devm_remove_action(struct device *dev, devm_action_fn *action, void *data)
{
    struct devres *res = take(dev, action, data);

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
