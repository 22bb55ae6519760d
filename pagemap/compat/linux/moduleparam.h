// SPDX-License-Identifier: BSD-2-Clause
/* Parameters of modules: variables, which pagemap_compat_set_param() of pagemap/compat/user.h sets. */
#ifndef PAGEMAP_COMPAT_LINUX_MODULEPARAM_H
#define PAGEMAP_COMPAT_LINUX_MODULEPARAM_H

#include <linux/types.h>

void pagemap_compat_add_param(const char *module, const char *name, void *variable, size_t bytes);

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "module"
#endif
#define module_param_named(name, variable, type, mode)                                                       \
    __attribute__((constructor)) static void pm_add_param_##name(void)                                       \
    {                                                                                                        \
        pagemap_compat_add_param(KBUILD_MODNAME, #name, &(variable), sizeof(variable));                      \
    }
#define module_param(name, type, mode) module_param_named(name, name, type, mode)
#define MODULE_PARM_DESC(name, text) struct pagemap_compat_module

#endif
