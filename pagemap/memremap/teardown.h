// SPDX-License-Identifier: BSD-2-Clause
/* What ends a mapping, in the order in which it is called. */
#ifndef PAGEMAP_MEMREMAP_TEARDOWN_H
#define PAGEMAP_MEMREMAP_TEARDOWN_H

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/* Release function of the reference. */
PM_INTERNAL void pm_reference_gone(struct percpu_ref *ref);

/* No get succeeds after it; again: waits only. As pm_synchronize(). */
PM_INTERNAL int pm_kill(struct dev_pagemap *pgmap);

/*
 * Waits until no page and no holder has a reference: without limit if `milliseconds` is PM_NO_LIMIT. -ETIMEDOUT: some
 * have one, and it is killed as before.
 */
#define PM_NO_LIMIT UINT64_MAX
PM_INTERNAL int pm_drain(struct dev_pagemap *pgmap, uint64_t milliseconds);

/*
 * Undoes what is there, and ends the reference. -ENOMEM: mappings or memory ran out, and some is still there; it may be
 * called again. Else as pm_synchronize(). pre: it has no reference; or no other thread ever saw pgmap, which was not
 * published: then it needs no kill, which may be refused (membarrier(2)).
 */
PM_INTERNAL int pm_unmake(struct dev_pagemap *pgmap);

/* The last step of it: the reference is dead and zero. */
PM_INTERNAL void pm_abandon(struct dev_pagemap *pgmap);

#endif
