// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* nanosleep */
#include "rangemap/epoch/grace.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "rangemap/base/probe.h"
#include "rangemap/epoch/light.h"

static bool claim_poller(struct rm_poller *poller)
{
    return (rm_load_relaxed(&poller->claim) == 0 && rm_cas_full(&poller->claim, 0, 1)) ||
           rm_broken(RM_POLL_CLAIM);
}

/* By the holder of the poller's claim. */
static bool poll_alone(struct rangemap_domain *domain, ck_epoch_record_t *record, ck_stack_t *over)
{
    bool moved = rm_light_revoke_all(domain) && ck_epoch_poll_deferred(record, over);

    /* The scan's loads of `active` before the disposal: pairs with the release that ended those sections. */
    ck_pr_fence_acquire();
    rm_happens_acquire(&domain->epoch);
    rm_probe_poll(domain, moved);
    if (!moved) {
        rm_probe_stall(domain, record->n_pending);
    }
    return moved;
}

bool rm_grace_poll(struct rangemap_domain *domain, ck_epoch_record_t *record, ck_stack_t *over)
{
    bool moved;

    if (!claim_poller(&domain->poller)) {
        return false;
    }
    moved = poll_alone(domain, record, over);
    rm_store_release(&domain->poller.claim, 0);
    return moved;
}

int rm_grace_check(const struct rangemap_domain *domain)
{
    return rm_load_relaxed(&domain->poller.refused) == 0 ? 0 : -EPERM;
}

void rm_grace_back_off(unsigned *looks)
{
    enum { YIELDS = 4, DOUBLINGS = 10 };
    unsigned look = (*looks)++;

    if (look < YIELDS) {
        (void)sched_yield();
    } else {
        unsigned doublings = look - YIELDS < DOUBLINGS ? look - YIELDS : DOUBLINGS;
        struct timespec pause = {0, 1000L << doublings};

        (void)nanosleep(&pause, NULL);
    }
}

/*
 * Without garbage a poll succeeds if it saw no section open, or none of an older epoch and moved the epoch on.
 * Every section open now keeps the epoch from moving twice.
 */
int rm_grace_wait(struct rangemap_domain *domain)
{
    struct rm_poller *poller = &domain->poller;
    unsigned moves = 0, looks = 0;
    int result = 0;

    while (result == 0 && moves < 2) {
        ck_stack_t none = CK_STACK_INITIALIZER;
        bool moved = false;

        if (claim_poller(poller)) {
            moved = poll_alone(domain, &poller->record, &none);
            rm_store_release(&poller->claim, 0);
        }
        moves += moved;
        if (!moved) {
            rm_grace_back_off(&looks);
            result = rm_grace_check(domain);
        }
    }
    return result;
}
