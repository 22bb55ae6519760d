// SPDX-License-Identifier: BSD-2-Clause
/* The configuration that the headers stand for: a 64-bit kernel with device memory and hotplug. */
#ifndef PAGEMAP_COMPAT_LINUX_KCONFIG_H
#define PAGEMAP_COMPAT_LINUX_KCONFIG_H

#define CONFIG_64BIT 1
#define CONFIG_MMU 1
#define CONFIG_SMP 1
#define CONFIG_NUMA 1
#define CONFIG_BLOCK 1
#define CONFIG_FS_DAX 1
#define CONFIG_DAX 1
#define CONFIG_DEV_DAX 1
#define CONFIG_ZONE_DEVICE 1
#define CONFIG_DEVICE_PRIVATE 1
#define CONFIG_PCI 1
#define CONFIG_PCI_P2PDMA 1
#define CONFIG_MEMORY_FAILURE 1
#define CONFIG_MEMORY_HOTPLUG 1
#define CONFIG_MEMORY_HOTREMOVE 1
#define CONFIG_TRANSPARENT_HUGEPAGE 1
#define CONFIG_MMU_NOTIFIER 1
#define CONFIG_HMM_MIRROR 1
#define CONFIG_MIGRATION 1
#define CONFIG_SYSFS 1
#define CONFIG_NVDIMM_PFN 1
#define CONFIG_NVDIMM_DAX 1
#define CONFIG_ND_CLAIM 1

/* 1 if the option is defined as 1, else 0. */
#define PM_CONFIG_PAIR_1 0,
#define PM_CONFIG_SECOND(ignored, value, ...) value
#define PM_CONFIG_IS(pair) PM_CONFIG_SECOND(pair 1, 0, 0)
#define PM_CONFIG_OF(value) PM_CONFIG_IS(PM_CONFIG_PAIR_##value)
#define IS_ENABLED(option) PM_CONFIG_OF(option)
#define IS_BUILTIN(option) IS_ENABLED(option)
#define IS_REACHABLE(option) IS_ENABLED(option)
#define IS_MODULE(option) 0

#endif
