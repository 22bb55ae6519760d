// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grace periods: when is something that was made unreachable out of every section's sight?
 *
 * The records, sections and the counter of epochs are ck_epoch's. Its poll is not used: ck_epoch_poll() is one step
 * of the record that it is given, may run in one thread at a time where sections are light, and reads every record
 * that was ever registered. Here anyone polls, at any time:
 *
 *   read the epoch, e; pass a full fence; take light sections away, with a heavy fence if there were any;
 *   scan the attached records: if a section is open with another epoch than e, give up;
 *   move the epoch from e to e + 1, by compare-and-swap
 *
 * A poller that is stopped anywhere keeps no other from polling: when it goes on, its compare-and-swap fails, unless
 * the epoch is still the one that it read before its scan. Garbage that was stamped with s is out of sight when the
 * epoch is s + 2 or more; docs/design.md, 8, has the proof.
 */
#ifndef RANGEMAP_EPOCH_GRACE_H
#define RANGEMAP_EPOCH_GRACE_H

#include "rangemap/epoch/own.h"

enum rm_grace {
    RM_GRACE_BLOCKED,  /* a section of an older epoch is open, or the kernel refused the heavy fence */
    RM_GRACE_ADVANCED, /* the epoch is further than it was: by this poll or by another */
    RM_GRACE_QUIET /* as before, and no section was open: what was unlinked before the poll is out of sight */
};

/*
 * One poll, which waits for nothing. If a section blocks, its record is put into *blocker; else NULL. Lock-free; no
 * signal handlers.
 */
RM_INTERNAL enum rm_grace rm_grace_poll(struct rangemap_domain *domain, struct rm_thread **blocker);

/* Whether garbage stamped with `stamp` is out of sight when the epoch is `epoch`. The counter may wrap. */
static inline bool rm_grace_is_over(unsigned stamp, unsigned epoch)
{
    return (int)(epoch - stamp) >= 2;
}

#endif
