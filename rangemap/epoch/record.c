// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/record.h"

#include <string.h>

#include "rangemap/base/turn.h"

/*
 * Records lie in slabs, each twice the one before, which rm_record_unmap_all() alone unmaps. Their memory is the
 * process's and not a domain's, since they outlive domains.
 */
enum { SLAB_RECORDS = 32, SLABS = 26 };

static rm_word slabs[SLABS];
static rm_word numbers; /* given so far; may be more than there is memory for */
static struct rm_tagged free_records;
static rm_word looked; /* the place where the search for abandoned records goes on */

/* The slab of a record, its place there, and how many it has. */
static unsigned slab_of(uint32_t number, uint32_t *place, uint32_t *records)
{
    unsigned slab = 31 - (unsigned)__builtin_clz(number / SLAB_RECORDS + 1);

    *records = (uint32_t)SLAB_RECORDS << slab;
    *place = number - (*records - SLAB_RECORDS);
    return slab;
}

/* NULL also if the number is seen before its slab is: numbers are relaxed. */
struct rm_thread *rm_record_at(uint32_t number)
{
    uint32_t place, records;
    struct rm_thread *slab = rm_load_pointer(&slabs[slab_of(number, &place, &records)]);

    return slab != NULL ? &slab[place] : NULL;
}

uint32_t rm_record_numbers(void)
{
    return (uint32_t)rm_load_relaxed(&numbers);
}

/* Racing first users of a slab each map one; the losers unmap theirs. False: there is none, and no memory for one. */
static bool map_slab(uint32_t number)
{
    uint32_t place, records;
    unsigned index = slab_of(number, &place, &records);
    size_t bytes = records * sizeof(struct rm_thread);
    void *slab = rm_pages_map(bytes, false);

    if (slab == NULL) {
        return rm_load_pointer_relaxed(&slabs[index]) != NULL; /* another's, which is looked for again */
    }
    if (!rm_cas_full(&slabs[index], 0, rm_pointer_bits(slab))) {
        (void)rm_pages_unmap(slab, bytes);
        return true;
    }
    rm_leak_root_add(slab, bytes); /* the shards lead to the caller's objects that wait for a grace period */
    return true;
}

static struct rm_thread *new_record(void)
{
    uint64_t number;
    struct rm_thread *thread;

    do {
        number = rm_load_relaxed(&numbers);
        if (rm_record_at((uint32_t)number) == NULL && !map_slab((uint32_t)number)) {
            return NULL;
        }
    } while (!rm_cas_relaxed(&numbers, number, number + 1));
    thread = rm_record_at((uint32_t)number);
    thread->number = (uint32_t)number;
    return thread;
}

/* No other thread uses the library: the caller has ordered all that did before this. */
void rm_record_unmap_all(void)
{
    for (unsigned i = 0; i < SLABS; i++) {
        void *slab = rm_load_pointer_relaxed(&slabs[i]);
        size_t bytes = ((size_t)SLAB_RECORDS << i) * sizeof(struct rm_thread);

        rm_store_relaxed(&slabs[i], 0);
        if (slab != NULL) {
            rm_leak_root_remove(slab, bytes);
            (void)rm_pages_unmap(slab, bytes);
        }
    }
    free_records = (struct rm_tagged){0};
    rm_store_relaxed(&numbers, 0);
}

void rm_thread_separate(struct rm_thread *thread, uint64_t now_ns)
{
    struct rm_roster_rank rank = rm_roster_note_update(&thread->domain->roster, thread, now_ns);

    rm_busy_enter(thread);
    rm_cache_separate(&thread->cache, &thread->domain->pool, rank.own, rank.threads);
    rm_busy_leave(thread);
}

static rm_word *record_link(uint32_t number)
{
    return &rm_record_at(number)->next;
}

/* The compare-and-swap decides, and orders what the last owner did before what the caller does. */
bool rm_record_seize(struct rm_thread *thread, enum rm_thread_state from, int self)
{
    uint64_t standing = rm_load_relaxed(&thread->standing);
    int tid = rm_standing_tid(standing);

    return rm_standing_state(standing) == from && (tid == self || rm_standing_is_gone(standing)) &&
           rm_cas_full(&thread->standing, standing, rm_standing_with(standing, RM_THREAD_MOVING));
}

bool rm_record_is_live(const struct rm_thread *thread)
{
    uint64_t standing = rm_load_relaxed(&thread->standing); /* a number that the kernel is asked about */

    return rm_standing_state(standing) == RM_THREAD_ATTACHED && !rm_standing_is_gone(standing);
}

/*
 * A record whose domain was destroyed while it was attached, and whose thread has ended since. A few are looked at
 * for each record that would have to be made, so that all together there are not many more than live threads.
 */
static struct rm_thread *find_abandoned_orphan(void)
{
    enum { LOOKS = 8 };
    uint32_t count = rm_record_numbers();

    for (unsigned i = 0; i < LOOKS; i++) {
        struct rm_thread *thread = rm_record_at((uint32_t)rm_turn(&looked, 1, count));

        if (thread != NULL && rm_record_seize(thread, RM_THREAD_ORPHAN, 0)) {
            return thread;
        }
    }
    return NULL;
}

static struct rm_thread *pop_free(void)
{
    uint32_t number;

    return rm_tagged_pop(&free_records, record_link, &number) ? rm_record_at(number) : NULL;
}

/* Free ones are looked at once more at the end: meanwhile orphans may have become free. */
struct rm_thread *rm_record_take(void)
{
    struct rm_thread *thread = pop_free();

    thread = thread != NULL ? thread : find_abandoned_orphan();
    thread = thread != NULL ? thread : pop_free();
    thread = thread != NULL ? thread : new_record();
    if (thread != NULL) {
        rm_record_set_state(thread, RM_THREAD_MOVING);
    }
    return thread;
}

void rm_record_free(struct rm_thread *thread)
{
    rm_record_set_state(thread, RM_THREAD_FREE);
    rm_tagged_push(&free_records, thread->number, &thread->next);
}

/* Everything but what outlives a domain; `next` may be being read by a thread that pops records. */
static void clear(struct rm_thread *thread)
{
    size_t private_part = offsetof(struct rm_thread, shard);

    memset((char *)thread + private_part, 0, sizeof *thread - private_part);
}

bool rm_record_join(struct rm_thread *thread, struct rangemap_domain *domain)
{
    clear(thread);
    thread->cache.seeker.random = thread->number;
    thread->domain = domain;
    if (!rm_roster_add(&domain->roster, thread)) {
        return false;
    }
    /* Last: from here on its thread finds it by its domain. */
    ck_epoch_register(&domain->epoch, &thread->section, NULL);
    return true;
}

void rm_record_push_parked(struct rm_thread *thread)
{
    rm_record_set_state(thread, RM_THREAD_PARKED);
    rm_tagged_push(&thread->domain->parked, thread->number, &thread->next);
}

struct rm_thread *rm_record_pop_parked(struct rangemap_domain *domain)
{
    uint32_t number;

    return rm_tagged_pop(&domain->parked, record_link, &number) ? rm_record_at(number) : NULL;
}

uint64_t rm_record_pending_bytes(const struct rangemap_domain *domain)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    const struct rm_thread *thread;
    uint64_t retired = 0, reclaimed = 0;

    /* What was disposed of is read first, so that what was handed over is not less. */
    while ((thread = rm_roster_next(&walk)) != NULL) {
        reclaimed += rm_load_acquire(&thread->reclaimed_bytes);
    }
    walk = rm_roster_begin(&domain->roster, true);
    while ((thread = rm_roster_next(&walk)) != NULL) {
        retired += rm_load_relaxed(&thread->retired_bytes);
    }
    return retired - reclaimed;
}
