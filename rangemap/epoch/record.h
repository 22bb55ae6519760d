// SPDX-License-Identifier: BSD-2-Clause
/*
 * A record: what a thread has in a domain. Its section, its shard, the bag of garbage it is filling, its cache of
 * nodes.
 *
 * Records are numbered and never unmapped, but by rangemap_unload(), so that a thread that outlives a domain finds its
 * record still there; they are reused, by the next thread of the same domain or, when that is gone, of any other.
 *
 *   FREE -> ATTACHED      taken for a domain                          (the attaching thread)
 *   PARKED -> ATTACHED    taken over                                  (the attaching thread)
 *   ATTACHED -> MOVING    its thread detaches, or is gone             (that thread; any thread that found out)
 *   MOVING -> PARKED      nothing of it is in motion any more         (the thread that made it MOVING)
 *   MOVING -> ATTACHED    taken over directly                         (the thread that made it MOVING)
 *   ATTACHED -> ORPHAN    the domain was destroyed                    (the destroyer)
 *   ORPHAN, PARKED -> FREE                                            (the owner, one that finds it gone, a destroyer)
 *
 * No destructor of the thread's is needed: that a thread is gone is found out by its number (base/system.h), by threads
 * that attach, that poll, and whose epoch the record holds up. So a thread may use the library to its very end.
 */
#ifndef RANGEMAP_EPOCH_RECORD_H
#define RANGEMAP_EPOCH_RECORD_H

#include "rangemap/base/sanitizer.h"
#include "rangemap/epoch/domain.h"
#include "rangemap/epoch/shard.h"

enum rm_thread_state {
    RM_THREAD_FREE,
    RM_THREAD_ATTACHED,
    RM_THREAD_MOVING,
    RM_THREAD_PARKED,
    RM_THREAD_ORPHAN
};

struct rm_bag;

/* The owner's: how it stands with light sections, see epoch/light.h. */
struct rm_light_account {
    unsigned fences_until_review; /* fenced sections until the account is looked at */
    unsigned fences_to_earn;      /* how many of them earn light ones */
    uint64_t
        light_since_ns; /* coarse time when they were earned last; 0: they were taken away since, or never earned */
};

/* A record's branches in the tree of its thread's records, by bits of the domain's hash (epoch/own.h). */
enum { RM_OWN_BITS = 3, RM_OWN_BRANCHES = 1 << RM_OWN_BITS };

struct rm_thread {
    ck_epoch_record_t section; /* first line: begin, end and the check for the right domain */
    /* Shared, rarely written. */
    rm_word light;    /* see epoch/light.h; pollers read it */
    rm_word standing; /* state, thread, how often attached: see rm_standing() */
    rm_word next;     /* in the stack of parked or of free records: number + 1 */
    struct rangemap_domain *domain;
    struct rm_roster_page *page; /* where it has its place */
    unsigned number, place;
    rm_word cpu_ns, cpu_noted_ns; /* see epoch/light.c */
    struct rm_shard shard;
    /* The owner's own, or of a thread that takes it over. */
    unsigned busy RM_LINE_ALIGNED; /* > 0: inside an update or reclaiming; cache and bags in motion */
    unsigned committed;
    bool reclaiming;    /* inside callbacks that reclamation makes: they may not wait */
    struct rm_bag *bag; /* being filled, see epoch/retire.h */
    struct rm_bag *committed_bag;
    struct rm_shard *elsewhere;   /* where it hands its garbage to while another is at its own shard */
    uint64_t retired_since_visit; /* things handed over since it last did a share of their work */
    uint64_t built_since_visit;   /* ranges that wide updates have put in since then */
    uint64_t retired_since_poll;  /* the same since it last polled, or need not */
    unsigned counted_epoch;       /* the domain's epoch then */
    bool was_blocked;             /* its last poll was */
    uint64_t disposed;            /* pieces of garbage that it has ended */
    uint64_t tended_ns;           /* coarse time when it last looked after others */
    struct rm_light_account account;
    rm_word retired_bytes;   /* handed to shards by this record, ever; owner writes, all read */
    rm_word reclaimed_bytes; /* disposed of by it; owner writes, all read */
    rm_word retries; /* compare-and-swaps lost by its updates, since the record is the domain's; all read */
    struct rm_thread *own[RM_OWN_BRANCHES];
    struct rm_cache cache;
};

/*
 * A record's state, the number of its thread (its last one, where it has none) and how often it was attached, in one
 * word: so a compare-and-swap after a look that found the thread gone fails if the record has another one by now,
 * even one with the same number.
 */
static inline uint64_t rm_standing(enum rm_thread_state state, int tid, uint64_t attached)
{
    return attached << 40 | (uint64_t)(uint32_t)tid << 8 | (uint64_t)state;
}

/* One bit more: the thread has a list by which its end is seen, see rm_thread_has_list(). */
#define RM_STANDING_LIST UINT64_C(0x80)

static inline enum rm_thread_state rm_standing_state(uint64_t standing)
{
    return (enum rm_thread_state)(standing & 0x7f);
}

static inline bool rm_standing_is_gone(uint64_t standing)
{
    return rm_thread_is_gone((int)(uint32_t)(standing >> 8), (standing & RM_STANDING_LIST) != 0);
}

static inline int rm_standing_tid(uint64_t standing)
{
    return (int)(uint32_t)(standing >> 8);
}

static inline uint64_t rm_standing_attached(uint64_t standing)
{
    return standing >> 40;
}

static inline uint64_t rm_standing_with(uint64_t standing, enum rm_thread_state state)
{
    return (standing & ~UINT64_C(0x7f)) | (uint64_t)state;
}

/* By the record's owner: no other changes it meanwhile. Release: what was done to the record before is seen. */
static inline void rm_record_set_state(struct rm_thread *thread, enum rm_thread_state state)
{
    rm_store_release(&thread->standing, rm_standing_with(rm_load_relaxed(&thread->standing), state));
}

static inline int rm_record_tid(const struct rm_thread *thread)
{
    return rm_standing_tid(rm_load_relaxed(&thread->standing));
}

/*
 * While a thread's cache or bags are in motion it is busy: in the child of a fork they are then of no use. The
 * fences keep the compiler from moving what is between out.
 */
static inline void rm_busy_enter(struct rm_thread *thread)
{
    thread->busy++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void rm_busy_leave(struct rm_thread *thread)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->busy--;
    rm_happens_release(thread); /* for a thread that finds it gone, which the sanitizer cannot know */
}

/* So many lines of the memory that the thread has at hand, and back to it. NULL: out of memory. While it is busy. */
static inline void *rm_thread_alloc(struct rm_thread *thread, unsigned lines)
{
    void *node = rm_cache_pop(&thread->cache, lines);

    return RM_LIKELY(node != NULL) ? node : rm_cache_alloc(&thread->cache, &thread->domain->pool, lines);
}

static inline void rm_thread_free(struct rm_thread *thread, void *block, unsigned lines)
{
    rm_cache_free(&thread->cache, &thread->domain->pool, block, lines);
}

/*
 * By a thread that updates, once in a tick: so that nodes of such threads come to lie apart (memory/stripe.h), it takes
 * its rank among them, and gives free nodes away that are better off with others.
 */
RM_INTERNAL void rm_thread_separate(struct rm_thread *thread, uint64_t now_ns);

/* A record without an owner, in state MOVING and all zero but for its numbers; NULL: out of memory. Lock-free. */
RM_INTERNAL struct rm_thread *rm_record_take(void);

/* Gives back a record that no domain knows any more, for the next rm_record_take(). */
RM_INTERNAL void rm_record_free(struct rm_thread *thread);

/* The record of that number, if there is one; NULL also above the last. In any state. */
RM_INTERNAL struct rm_thread *rm_record_at(uint32_t number);

/* Higher than every number that was given. */
RM_INTERNAL uint32_t rm_record_numbers(void);

/* Unmaps all records. None is any domain's, none is looked at any more, and no other thread takes one meanwhile. */
RM_INTERNAL void rm_record_unmap_all(void);

/* Makes the record one of `domain`, parked but not in its stack. False: out of memory. */
RM_INTERNAL bool rm_record_join(struct rm_thread *thread, struct rangemap_domain *domain);

/* The stack of a domain's parked records. */
RM_INTERNAL void rm_record_push_parked(struct rm_thread *thread);
RM_INTERNAL struct rm_thread *rm_record_pop_parked(struct rangemap_domain *domain);

/*
 * Makes a record in state `from` whose thread is gone MOVING: it is the caller's then. A system call, if the state
 * fits. `self`: the number of the calling thread, if the record is known not to be its own; that it has this number
 * shows that its thread is gone. Else 0.
 */
RM_INTERNAL bool rm_record_seize(struct rm_thread *thread, enum rm_thread_state from, int self);

/* Whether the record is attached to a thread that is not gone. A system call. */
RM_INTERNAL bool rm_record_is_live(const struct rm_thread *thread);

/* Bytes handed to shards and not disposed of. Not of one instant: too high, never too low, by what others do. */
RM_INTERNAL uint64_t rm_record_pending_bytes(const struct rangemap_domain *domain);

#endif
