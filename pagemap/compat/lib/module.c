// SPDX-License-Identifier: BSD-2-Clause
/* Modules: functions that drivers registered before main(), in the order of linking. */
#include <linux/kernel.h>
#include <linux/module.h>

#include "pagemap/compat/user.h"

enum { MODULES = 64, PARAMS = 64 };

static struct pagemap_compat_module modules[MODULES];
static unsigned nr_modules;

static struct {
    const char *module, *name;
    void *variable;
    size_t bytes;
} params[PARAMS];
static unsigned nr_params;

static struct pagemap_compat_module *find(const char *name)
{
    for (unsigned i = 0; i < nr_modules; i++) {
        if (strcmp(modules[i].name, name) == 0) {
            return &modules[i];
        }
    }
    return NULL;
}

static struct pagemap_compat_module *find_or_add(const char *name)
{
    struct pagemap_compat_module *module = find(name);

    if (module == NULL) {
        BUG_ON(nr_modules == MODULES);
        module = &modules[nr_modules++];
        module->name = name;
    }
    return module;
}

void pagemap_compat_add_init(const char *name, int (*init)(void))
{
    struct pagemap_compat_module *module = find_or_add(name);

    BUG_ON(module->init != NULL); /* two files of one driver with an init each need a name each */
    module->init = init;
}

void pagemap_compat_add_exit(const char *name, void (*exit)(void))
{
    find_or_add(name)->exit = exit;
}

int pagemap_compat_load(const char *name)
{
    struct pagemap_compat_module *module = find(name);
    int error;

    if (module == NULL || module->is_loaded) {
        return module == NULL ? -ENOENT : -EBUSY;
    }
    error = module->init == NULL ? 0 : module->init();
    module->is_loaded = error == 0;
    return error;
}

int pagemap_compat_unload(const char *name)
{
    struct pagemap_compat_module *module = find(name);

    if (module == NULL || !module->is_loaded) {
        return module == NULL ? -ENOENT : -EINVAL;
    }
    if (module->exit != NULL) {
        module->exit();
    }
    module->is_loaded = 0;
    return 0;
}

void pagemap_compat_add_param(const char *module, const char *name, void *variable, size_t bytes)
{
    BUG_ON(nr_params == PARAMS);
    params[nr_params].module = module;
    params[nr_params].name = name;
    params[nr_params].variable = variable;
    params[nr_params++].bytes = bytes;
}

int pagemap_compat_set_param(const char *module, const char *name, long value)
{
    for (unsigned i = 0; i < nr_params; i++) {
        if (strcmp(params[i].module, module) == 0 && strcmp(params[i].name, name) == 0) {
            memcpy(params[i].variable, &value, min(params[i].bytes, sizeof value)); /* little-endian */
            return 0;
        }
    }
    return -ENOENT;
}
