// SPDX-License-Identifier: BSD-2-Clause
/* userfaultfd without a handler: an access to what is not there is SIGBUS. Linux 5.18 and later. */
#ifndef PAGEMAP_VIEW_UFFD_H
#define PAGEMAP_VIEW_UFFD_H

#include <stdbool.h>
#include <stddef.h>

#include "pagemap/base/compiler.h"

/* Whether this kernel lets this process use it; *missing says by name what is not there, else it is NULL. */
PM_INTERNAL bool pm_uffd_works(const char **missing);

/*
 * From now on a page of [address, address + bytes) that is zapped stays away. What is there, stays. False: this kind
 * of mapping cannot.
 */
PM_INTERNAL bool pm_uffd_register(void *address, size_t bytes);

/* Zaps it. False: it is as it was. */
PM_INTERNAL bool pm_uffd_zap(void *address, size_t bytes);

#endif
