// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grace periods: ck_epoch's poll, after light sections (epoch/light.h) have been taken away.
 *
 * ck_epoch_poll() reads the global epoch, scans the records and perhaps moves the epoch on; what it hands out
 * relies on its own scan and on the scans behind the last two moves. Each scan must see every section whose
 * loads may have come before the epoch got its value, or before the garbage was admitted. So one thread at
 * a time polls in a domain: nobody else moves the epoch between its heavy fence and its scan, and a section that
 * the scan misses began its loads after that fence, hence after the epoch had its value and after the garbage
 * was unlinked.
 *
 * A thread stopped while it polls holds up reclamation in its domain, as one stopped in a section does.
 */
#ifndef RANGEMAP_EPOCH_GRACE_H
#define RANGEMAP_EPOCH_GRACE_H

#include "rangemap/epoch/thread.h"

/*
 * Polls `record`, which the caller owns: what is past its grace period goes to *over. False: nothing could be
 * said, because another thread polls, or the kernel refused the fence; or ck_epoch_poll() returned false.
 */
RM_INTERNAL bool rm_grace_poll(struct rangemap_domain *domain, ck_epoch_record_t *record, ck_stack_t *over);

/*
 * Waits until every section that is open now has ended. Outside sections and callbacks. -EPERM: the kernel
 * allowed membarrier(2) at first and refuses it now.
 */
RM_INTERNAL int rm_grace_wait(struct rangemap_domain *domain);

/* -EPERM if the last poll met with that, else 0. */
RM_INTERNAL int rm_grace_check(const struct rangemap_domain *domain);

/*
 * Between two fruitless looks: a yield at first, then sleeps of 1 us to 1 ms. A look interrupts the processors
 * of other threads, so it must not be repeated hotly.
 */
RM_INTERNAL void rm_grace_back_off(unsigned *looks);

#endif
