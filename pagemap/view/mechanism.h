// SPDX-License-Identifier: BSD-2-Clause
/* How a part of a view is shown and hidden, as far as the system is concerned; see docs/pagemap.md, section 5. */
#ifndef PAGEMAP_VIEW_MECHANISM_H
#define PAGEMAP_VIEW_MECHANISM_H

#include <stddef.h>

#include "pagemap/backend/backend.h"
#include "pagemap/view/view.h"

/* Whether new views are to be hidden by the overlay. */
PM_INTERNAL bool pm_choose_overlay(void);

/*
 * Address space for `bytes`, a multiple of `alignment`, each touch of which is SIGBUS; an area of base/map.h, so that
 * what is done to the whole of it needs no split of a mapping. NULL: -ENOMEM.
 */
PM_INTERNAL void *pm_vm_reserve(size_t bytes, size_t alignment, int prot);

/* Maps [offset, offset + bytes) of `memory` over the part at `address`. A negative errno: the part may be hidden. */
PM_INTERNAL int pm_vm_show(struct pm_view *view, void *address, size_t bytes,
                           const struct pagemap_memory *memory, uint64_t offset);

/* Makes each touch of the part SIGBUS. False: mappings ran out, and it is as it was. */
PM_INTERNAL bool pm_vm_hide(struct pm_view *view, void *address, size_t bytes);

/* The same for all of the view, which cannot be refused for want of mappings. */
PM_INTERNAL void pm_vm_hide_all(const struct pm_view *view);

#endif
