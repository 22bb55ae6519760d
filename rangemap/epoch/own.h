// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which records are the calling thread's: a tree of them in thread-local words, searched by the bits of the domain's
 * hash, three a level. Finding one costs by the logarithm of their number, and no memory but the records' own. It is
 * changed while the thread's signals are held off, so a handler finds it whole, and may attach the thread itself.
 * Handlers of signals that cannot be held off, as of a fault, find every record at any time, too, by the order of the
 * stores; they must not attach in the middle of a change.
 *
 * Thread-local state is initial-exec: no call, and no memory at a thread's first use, is behind it.
 */
#ifndef RANGEMAP_EPOCH_OWN_H
#define RANGEMAP_EPOCH_OWN_H

#include "rangemap/epoch/record.h"

/* The record used last by this thread; never NULL. One word, so that a signal handler sees all or none. */
RM_INTERNAL extern _Thread_local struct rm_thread *rm_thread_last __attribute__((tls_model("initial-exec")));

/* The calling thread's record in `domain` if it has one, else NULL. Any context. */
RM_INTERNAL struct rm_thread *rm_thread_existing(const struct rangemap_domain *domain);

/* Whether the record is the calling thread's. */
RM_INTERNAL bool rm_thread_is_own(const struct rm_thread *thread);

/*
 * Makes a record, of a domain in which the thread has none, the thread's. Signals are held off: here, and for
 * removals.
 */
RM_INTERNAL void rm_own_add(struct rm_thread *thread);

/* Takes it from the thread. */
RM_INTERNAL void rm_own_remove(struct rm_thread *thread);

/* Takes all of them from the thread. */
RM_INTERNAL void rm_own_forget(void);

/* One of the thread's records whose domain was destroyed since, or NULL. */
RM_INTERNAL struct rm_thread *rm_own_orphan(void);

/* The thread has another number: in the child of a fork. */
RM_INTERNAL void rm_own_renumber(int tid);

/* Called after a domain's records were made orphans. */
RM_INTERNAL void rm_own_note_destroyed(void);

#if defined(RANGEMAP_EXPLORER) || defined(RANGEMAP_CORES)
/* Makes the caller the owner of `thread` (NULL: of none) instead of what it returns. */
RM_INTERNAL struct rm_thread *rm_thread_become(struct rm_thread *thread);
#endif

#endif
