// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/grace.h"

#include <sched.h>

static bool try_claim(struct rm_poller *poller)
{
    return rm_load_relaxed(&poller->claim) == 0 && rm_cas_full(&poller->claim, 0, 1);
}

/* By the holder of the poller's claim. */
static bool poll_alone(struct rangemap_domain *domain, ck_epoch_record_t *record, ck_stack_t *over)
{
    bool moved = rm_fence_heavy() && ck_epoch_poll_deferred(record, over);

    rm_happens_acquire(&domain->epoch);
    return moved;
}

bool rm_grace_poll(struct rangemap_domain *domain, ck_epoch_record_t *record, ck_stack_t *over)
{
    bool moved;

    if (!try_claim(&domain->poller)) {
        return false;
    }
    moved = poll_alone(domain, record, over);
    rm_store_release(&domain->poller.claim, 0);
    return moved;
}

/*
 * Without garbage a poll succeeds if it saw no section open, or none of an older epoch and moved the epoch on.
 * Every section open now keeps the epoch from moving twice.
 */
void rm_grace_wait(struct rangemap_domain *domain)
{
    struct rm_poller *poller = &domain->poller;
    unsigned moves = 0;

    while (moves < 2) {
        ck_stack_t none = CK_STACK_INITIALIZER;
        bool moved = false;

        if (try_claim(poller)) {
            moved = poll_alone(domain, &poller->record, &none);
            rm_store_release(&poller->claim, 0);
        }
        if (moved) {
            moves++;
        } else {
            (void)sched_yield();
        }
    }
}
