// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one reclamation domain of the library: its own, so that a reader that is stalled in another
 * rangemap holds up no teardown of ours.
 */
#ifndef PAGEMAP_CORE_DOMAIN_H
#define PAGEMAP_CORE_DOMAIN_H

#include "pagemap/base/compiler.h"
#include "rangemap/rangemap.h"

/* The domain, made at the first call; NULL if out of memory. It stays for the life of the process. */
PM_INTERNAL struct rangemap_domain *pm_domain(void);

/*
 * Lets the calling thread read: until it leaves the domain, a lookup that finds nothing means that there is nothing.
 * -ENOMEM: no memory for its record.
 */
PM_INTERNAL int pm_attach(void);

/* The same, and waits for memory: for calls that cannot say so. */
PM_INTERNAL void pm_attach_surely(void);

/*
 * Waits for a grace period. Retries where memory for the calling thread's record is short. -EDEADLK: inside a
 * section or callback: it WARNs.
 */
PM_INTERNAL int pm_synchronize(void);

/* Runs `run` after a grace period, on any thread that uses the domain. Retries like pm_synchronize(). */
PM_INTERNAL void pm_defer(struct rangemap_deferred *deferred, rangemap_deferred_fn *run);

/* Waits until all that was deferred has run. Errors as pm_synchronize(). */
PM_INTERNAL int pm_barrier(void);

#endif
