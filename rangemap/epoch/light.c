// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/light.h"

#include "rangemap/base/clock.h"
#include "rangemap/base/fence.h"

/* How many fences (5 to 10 ns) cost as much as one heavy fence (5 to 50 us), and how far that may go up. */
enum { FENCES_TO_EARN_MIN = 1 << 10, FENCES_TO_EARN_MAX = 1 << 20 };

/* Threads that one heavy fence serves. */
enum { TAKEN_AT_ONCE = 32 };

static bool change(struct rm_thread *thread, uint64_t before, unsigned state)
{
    return rm_cas_full(&thread->light, before, (before & ~(uint64_t)RM_LIGHT_STATE) | state);
}

void rm_light_init(struct rm_thread *thread)
{
    uint64_t light;

    do {
        light = rm_load_relaxed(&thread->light);
    } while ((light & RM_LIGHT_STATE) != 0 && !change(thread, light, 0));
    thread->account = (struct rm_light_account){.fences_until_review = FENCES_TO_EARN_MIN,
                                                .fences_to_earn = FENCES_TO_EARN_MIN};
}

/* The first fenced section since a poller took the light ones away: what the next ones are to cost. */
static void reprice(struct rm_light_account *account)
{
    bool lasted = rm_coarse_ns() != account->light_since_ns;

    if (lasted && account->fences_to_earn > FENCES_TO_EARN_MIN) {
        account->fences_to_earn /= 2;
    } else if (!lasted && account->fences_to_earn < FENCES_TO_EARN_MAX) {
        account->fences_to_earn *= 2;
    }
    account->light_since_ns = 0;
    account->fences_until_review = account->fences_to_earn;
}

/* The fence of this section comes after all light ones: no poller need see to that any more. */
static void acknowledge(struct rm_thread *thread)
{
    uint64_t light = rm_load_relaxed(&thread->light);

    if ((light & RM_LIGHT_TAKEN) != 0) {
        (void)change(thread, light, 0); /* or a poller has just done it */
    }
}

static void become_light(struct rm_thread *thread)
{
    thread->account.light_since_ns = rm_coarse_ns();
    thread->account.fences_until_review = 1;
    /* A full fence: this store before the loads of all light sections to come. litmus: light01 */
    (void)rm_swap_full(&thread->light, (rm_load_relaxed(&thread->light) + RM_LIGHT_EARNED) | RM_LIGHT);
}

void rm_light_review(struct rm_thread *thread)
{
    struct rm_light_account *account = &thread->account;

    if (account->light_since_ns != 0) {
        acknowledge(thread);
        reprice(account);
    } else if (rm_fence_is_asymmetric()) {
        become_light(thread);
    } else {
        account->fences_until_review = FENCES_TO_EARN_MAX;
    }
}

/* A record that a poller found light or taken, and its word then, with the state TAKEN. */
struct taken {
    struct rm_thread *thread;
    uint64_t light;
};

/* Takes light sections away. False: there was nothing to take. */
static bool take(struct rm_thread *thread, struct taken *taken)
{
    uint64_t light;

    do {
        light = rm_load_acquire(&thread->light);
        if ((light & RM_LIGHT_STATE) == 0 || ((light & RM_LIGHT) != 0 && rm_thread_is_own(thread))) {
            return false; /* the caller sees its own sections as they are */
        }
    } while ((light & RM_LIGHT) != 0 && !change(thread, light, RM_LIGHT_TAKEN));
    taken->thread = thread;
    taken->light = (light & ~(uint64_t)RM_LIGHT_STATE) | RM_LIGHT_TAKEN;
    return true;
}

/*
 * Without a heavy fence: has the thread's processor passed a fence since? The thread's time is noted after its light
 * sections were taken; if it is the same a tick of the coarse clock later, the thread has not run in between.
 */
static bool stands_still(struct rm_thread *thread)
{
    uint64_t before = rm_load_acquire(&thread->cpu_ns), tick = rm_load_acquire(&thread->cpu_noted_ns);
    uint64_t now = rm_thread_cpu_ns(rm_record_tid(thread)), now_tick = rm_coarse_ns();

    if (now != 0 && now == before && now_tick != tick) {
        return true;
    }
    if (now != before) {
        rm_store_release(&thread->cpu_noted_ns, now_tick); /* before the time: it is not taken for older */
        rm_store_release(&thread->cpu_ns, now);
    }
    return !rm_record_is_live(thread);
}

/* Sees to a fence of those threads since they were taken from. litmus: light10_noheavy */
static bool fence_taken(struct taken *taken, unsigned count)
{
    bool fenced = rm_fence_heavy(), all = true;

    for (unsigned i = 0; i < count; i++) {
        if (fenced || stands_still(taken[i].thread)) {
            (void)change(taken[i].thread, taken[i].light, 0);
        } else {
            all = false;
        }
    }
    return all;
}

/* litmus: light10_p* */
bool rm_light_revoke_all(struct rangemap_domain *domain)
{
    struct taken taken[TAKEN_AT_ONCE];
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, false);
    struct rm_thread *thread;
    unsigned count = 0;
    bool all = true;

    while ((thread = rm_roster_next(&walk)) != NULL) {
        count += take(thread, &taken[count]);
        if (count == TAKEN_AT_ONCE) {
            all &= fence_taken(taken, count);
            count = 0;
        }
    }
    return (count == 0 || fence_taken(taken, count)) && all;
}
