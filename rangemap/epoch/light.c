// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/light.h"

#include "rangemap/base/clock.h"
#include "rangemap/base/fence.h"

/* How many fences (5 to 10 ns) cost as much as one heavy fence (5 to 50 us), and how far that may go up. */
enum { PRICE_MIN = 1 << 10, PRICE_MAX = 1 << 20 };

void rm_light_init(struct rm_thread *thread)
{
    rm_store_relaxed(&thread->light, 0);
    thread->account = (struct rm_light_account){.left = PRICE_MIN, .price = PRICE_MIN};
}

/* The first fenced section since a poller took the light ones away: what the next ones are to cost. */
static void raise_or_lower(struct rm_light_account *account)
{
    bool lasted = rm_coarse_ns() != account->since_ns;

    if (lasted && account->price > PRICE_MIN) {
        account->price /= 2;
    } else if (!lasted && account->price < PRICE_MAX) {
        account->price *= 2;
    }
    account->since_ns = 0;
    account->left = account->price;
}

void rm_light_settle(struct rm_thread *thread)
{
    struct rm_light_account *account = &thread->account;

    if (account->since_ns != 0) {
        raise_or_lower(account);
    } else if (rm_fence_is_asymmetric()) {
        account->since_ns = rm_coarse_ns();
        account->left = 1;
        /* A full fence: this store before the loads of all light sections to come. */
        (void)rm_swap_full(&thread->light, 1);
    } else {
        account->left = PRICE_MAX;
    }
}

bool rm_light_revoke_all(struct rangemap_domain *domain)
{
    struct rm_poller *poller = &domain->poller;
    struct rm_link *link = rm_load_pointer(&domain->threads.head);

    for (; link != NULL; link = link->next) {
        struct rm_thread *thread = RM_CONTAINER_OF(link, struct rm_thread, of_domain);

        /* The caller sees its own sections as they are. */
        if (rm_light(thread) && !rm_thread_is_own(thread)) {
            rm_store_relaxed(&thread->light, 0);
            poller->owes_fence = true;
        }
    }
    if (poller->owes_fence) {
        poller->owes_fence = !rm_fence_heavy() && !rm_broken(RM_FENCE_OWED);
        rm_store_relaxed(&poller->refused, poller->owes_fence);
    }
    return !poller->owes_fence;
}
