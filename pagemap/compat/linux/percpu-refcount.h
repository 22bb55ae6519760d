// SPDX-License-Identifier: BSD-2-Clause
/* The references of pagemap/percpu_ref.h, with the arguments of the kernel. */
#ifndef PAGEMAP_COMPAT_LINUX_PERCPU_REFCOUNT_H
#define PAGEMAP_COMPAT_LINUX_PERCPU_REFCOUNT_H

#include "pagemap/percpu_ref.h"
#include <linux/rcupdate.h>

/* The fourth argument, gfp flags, is not used. */
#define percpu_ref_init(ref, release, flags, ...) (percpu_ref_init)(ref, release, flags)
#define percpu_ref_tryget_live_rcu(ref) percpu_ref_tryget_live_held(ref)

#endif
