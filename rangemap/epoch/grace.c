// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/grace.h"

#include "rangemap/base/probe.h"
#include "rangemap/epoch/light.h"

/* What a scan of the attached records found. */
struct scan {
    struct rm_thread *blocker; /* in a section of another epoch; NULL: none */
    unsigned blocked_epoch;    /* which */
    bool any;                  /* some section is open */
    bool is_late;              /* another poller has moved the epoch */
};

/* A scan that may be in vain looks after so many records whether it is. */
enum { RECORDS_BETWEEN_LOOKS = 8 };

/*
 * litmus: reuse. `active` before `epoch`: a section stores them in that order, too, so one that is seen open with
 * this epoch has this epoch, or is a later one of the same thread, which began after the fence and may be missed.
 */
static void look_at(struct scan *scan, struct rm_thread *thread, unsigned epoch)
{
    unsigned active, seen;

    rm_explorer_point(&thread->section.active);
    active = __atomic_load_n(&thread->section.active, __ATOMIC_ACQUIRE);
    if (active != 0) {
        scan->any = true;
        rm_explorer_point(&thread->section.epoch);
        seen = __atomic_load_n(&thread->section.epoch, __ATOMIC_ACQUIRE);
        if (seen != epoch) {
            scan->blocker = thread;
            scan->blocked_epoch = seen;
        }
    }
}

static struct scan scan_records(struct rangemap_domain *domain, unsigned epoch)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, false);
    struct scan scan = {.blocker = NULL};
    struct rm_thread *thread;
    unsigned looked = 0;

    while (scan.blocker == NULL && !scan.is_late && (thread = rm_roster_next(&walk)) != NULL) {
        look_at(&scan, thread, epoch);
        scan.is_late = ++looked % RECORDS_BETWEEN_LOOKS == 0 && rm_domain_epoch(domain) != epoch;
    }
    return scan;
}

/* From the very epoch that was read before the scan. That it fails means that another poller was faster. */
static void advance(struct rangemap_domain *domain, unsigned epoch)
{
    rm_explorer_update(&domain->epoch.epoch);
    (void)__atomic_compare_exchange_n(&domain->epoch.epoch, &epoch, epoch + 1, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
}

/* litmus: scan_ctrl */
enum rm_grace rm_grace_poll(struct rangemap_domain *domain, struct rm_thread **blocker)
{
    unsigned epoch = rm_domain_epoch(domain);
    struct scan scan;

    *blocker = NULL;
    /* The epoch, and all that was unlinked before it, before the loads of `light` and of `active`. */
    ck_pr_fence_memory();
    if (!rm_light_revoke_all(domain)) {
        rm_probe_poll(domain, false);
        return RM_GRACE_BLOCKED;
    }
    scan = scan_records(domain, epoch);
    if (scan.is_late) {
        rm_probe_poll(domain, true);
        rm_happens_acquire(&domain->epoch); /* likewise, by a faster poller */
        return RM_GRACE_ADVANCED;
    }
    *blocker = scan.blocker;
    rm_probe_poll(domain, scan.blocker == NULL);
    if (scan.blocker != NULL) {
        rm_probe_stall(domain, epoch - scan.blocked_epoch);
        return RM_GRACE_BLOCKED;
    }
    advance(domain, epoch);
    /* The scan's loads of `active` before the disposal: pairs with the release that ended those sections. */
    rm_happens_acquire(&domain->epoch);
    return scan.any ? RM_GRACE_ADVANCED : RM_GRACE_QUIET;
}
