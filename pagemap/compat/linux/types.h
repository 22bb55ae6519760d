// SPDX-License-Identifier: BSD-2-Clause
/* Types of the kernel. Those of the system header of this name come from there. */
#ifndef PAGEMAP_COMPAT_LINUX_TYPES_H
#define PAGEMAP_COMPAT_LINUX_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pagemap/types.h"
#include <linux/compiler.h>
#include <linux/kconfig.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef __u64 u64; /* %llu prints it, as in the kernel */
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef __s64 s64;

typedef unsigned gfp_t;
typedef unsigned fmode_t;
typedef unsigned short umode_t;
typedef unsigned slab_flags_t;
typedef unsigned long pgoff_t;
typedef unsigned long kernel_ulong_t;
typedef u64 sector_t;
typedef u64 blkcnt_t_;
typedef u64 dma_addr_t;
typedef u64 pci_bus_addr_t;
typedef unsigned isolate_mode_t;
typedef u64 async_cookie_t;

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    s64 counter;
} atomic64_t;

typedef atomic64_t atomic_long_t;

struct list_head {
    struct list_head *next, *prev;
};

struct hlist_node {
    struct hlist_node *next, **pprev;
};

struct hlist_head {
    struct hlist_node *first;
};

struct callback_head {
    struct callback_head *next;
    void (*func)(struct callback_head *head);
};
#define rcu_head callback_head

#endif
