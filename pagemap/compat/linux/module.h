// SPDX-License-Identifier: BSD-2-Clause
/* Modules: a driver registers its init and exit functions, and pagemap/compat/user.h has what calls them. */
#ifndef PAGEMAP_COMPAT_LINUX_MODULE_H
#define PAGEMAP_COMPAT_LINUX_MODULE_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>

struct module;

struct pagemap_compat_module {
    const char *name;
    int (*init)(void);
    void (*exit)(void);
    struct pagemap_compat_module *next;
    int is_loaded;
};

/* Once, before main(). */
void pagemap_compat_add_init(const char *name, int (*init)(void));
void pagemap_compat_add_exit(const char *name, void (*exit)(void));

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "module"
#endif
#define THIS_MODULE ((struct module *)NULL)
#define module_init(function)                                                                                \
    __attribute__((constructor)) static void pm_add_##function(void)                                         \
    {                                                                                                        \
        pagemap_compat_add_init(KBUILD_MODNAME, function);                                                   \
    }
#define module_exit(function)                                                                                \
    __attribute__((constructor)) static void pm_add_##function(void)                                         \
    {                                                                                                        \
        pagemap_compat_add_exit(KBUILD_MODNAME, function);                                                   \
    }
#define early_initcall(function) module_init(function)
#define core_initcall(function) module_init(function)
#define postcore_initcall(function) module_init(function)
#define arch_initcall(function) module_init(function)
#define subsys_initcall(function) module_init(function)
#define fs_initcall(function) module_init(function)
#define device_initcall(function) module_init(function)
#define late_initcall(function) module_init(function)
#define PM_NOTHING(name) struct pagemap_compat_module
#define MODULE_LICENSE(text) PM_NOTHING(license)
#define MODULE_AUTHOR(text) PM_NOTHING(author)
#define MODULE_DESCRIPTION(text) PM_NOTHING(description)
#define MODULE_VERSION(text) PM_NOTHING(version)
#define MODULE_ALIAS(text) PM_NOTHING(alias)
#define MODULE_DEVICE_TABLE(type, name) PM_NOTHING(table)
#define MODULE_FIRMWARE(text) PM_NOTHING(firmware)
#define MODULE_IMPORT_NS(ns) PM_NOTHING(ns)
#define MODULE_INFO(tag, text) PM_NOTHING(tag)
#define EXPORT_SYMBOL(name) PM_NOTHING(name)
#define EXPORT_SYMBOL_GPL(name) PM_NOTHING(name)
#define EXPORT_SYMBOL_NS(name, ns) PM_NOTHING(name)
#define EXPORT_SYMBOL_NS_GPL(name, ns) PM_NOTHING(name)
#define try_module_get(module) true
#define module_put(module) ((void)(module))
#define __module_get(module) ((void)(module))

#endif
