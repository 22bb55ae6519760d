// SPDX-License-Identifier: BSD-2-Clause
/*
 * pagemap: the kernel's memremap API in user space. Include this for everything; docs/pagemap.md has the
 * structure, the reference rules, the order of teardown and the table of differences from the kernel.
 *
 * CONVENTIONS, valid for every function unless its comment says otherwise
 *
 *   Addresses   "physical" ones are resource_size_t, in bytes, below PHYSMEM_END. They mean what the caller
 *               makes them mean; memory stands behind those where some was plugged (backend.h).
 *   Ranges      struct range and struct resource are in bytes, start and end both inclusive.
 *   pfn         a physical address >> PAGE_SHIFT. A page is 4096 bytes whatever the system's is.
 *   Results     0, or a negative errno; where a pointer is returned, NULL or ERR_PTR(errno), as stated.
 *   Failure     changes nothing: a call succeeds as a whole or leaves everything as it was.
 *   -ENOMEM     memory, address space or mappings (vm.max_map_count) ran out.
 *   Context     any thread. Calls that "may wait" must not be made inside a read section, and take locks;
 *               those that do not say so are lock-free and may be made in a read section.
 *   Signals     those that say so may be called in a handler of a signal, but gets and lookups only on a thread that
 *               has used the library before: let each call pagemap_read_lock() once, before it takes signals.
 *   Fork        a child has the linear maps of its parent's devices, shared with it, but neither their views nor the
 *               struct pages of an altmap. It must leave those devices and files alone; devices of its own it may
 *               make, if the parent had one thread (else another may have held a lock for ever).
 *   Rules       that a caller broke and the library survives are told to the warn function.
 */
#ifndef PAGEMAP_PAGEMAP_H
#define PAGEMAP_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/device.h"
#include "pagemap/export.h"
#include "pagemap/fs.h"
#include "pagemap/gup.h"
#include "pagemap/holders.h"
#include "pagemap/ioport.h"
#include "pagemap/memory.h"
#include "pagemap/memremap.h"
#include "pagemap/mmu_notifier.h"
#include "pagemap/percpu_ref.h"
#include "pagemap/poison.h"
#include "pagemap/sigbus.h"
#include "pagemap/statistics.h"
#include "pagemap/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The counterpart of the kernel's WARN(): `message` is one line, valid during the call. Any thread, perhaps with
 * locks of the library held: it must not call the library.
 */
typedef void pagemap_warn_fn(const char *message);

/* Sets it; NULL (at first): a line on standard error. Returns the one before. */
pagemap_warn_fn *pagemap_set_warn_fn(pagemap_warn_fn *warn);

/* Tells it: for code that is layered on the library. */
void pagemap_warn(const char *message);

/*
 * A read section, the counterpart of rcu_read_lock(): what was found by find_dev_pagemap() inside stays
 * allocated until the section ends. Nests. Keep it short and do not wait in it. -ENOMEM: this thread could
 * not be registered (its first use only).
 */
int pagemap_read_lock(void);
void pagemap_read_unlock(void);

/* Whether this thread is in a section that it began by pagemap_read_lock(). */
bool pagemap_read_lock_held(void);

/*
 * Waits until every section that is open now has ended, as synchronize_rcu(). -EDEADLK: called inside a section or
 * a callback of the library; it WARNs.
 */
int pagemap_synchronize(void);

/* Waits until every callback and free that is pending now has run, as rcu_barrier(). Errors as above. */
int pagemap_barrier(void);

#ifdef __cplusplus
}
#endif

#endif
