// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread's record in a domain: its section, its cache of nodes, the batch of garbage it is filling.
 *
 * Records are never unmapped, so that a thread that outlives a domain finds its record still there; they
 * are reused, by the next thread of the same domain or, when that is gone, of any other.
 *
 *   FREE -> ATTACHED      taken from the process's free records       (the attaching thread)
 *   PARKED -> ATTACHED    adopted                                     (the attaching thread)
 *   ATTACHED -> PARKING -> PARKED   thread exit or detach             (the owner)
 *   ATTACHED -> ORPHAN    the domain was destroyed                    (the destroyer)
 *   ORPHAN, PARKED -> FREE                                            (the owner; the destroyer)
 */
#ifndef RANGEMAP_EPOCH_THREAD_H
#define RANGEMAP_EPOCH_THREAD_H

#include "rangemap/base/mutation.h"
#include "rangemap/base/sanitizer.h"
#include "rangemap/epoch/domain.h"

enum rm_thread_state {
    RM_THREAD_FREE,
    RM_THREAD_ATTACHED,
    RM_THREAD_PARKING,
    RM_THREAD_PARKED,
    RM_THREAD_ORPHAN
};

struct rm_bag;

/* The owner's: how it stands with light sections, see epoch/light.h. */
struct rm_light_account {
    unsigned left;  /* fenced sections until the account is looked at */
    unsigned price; /* how many of them earn light ones */
    uint64_t
        since_ns; /* coarse time when they were earned last; 0: they were taken away since, or never earned */
};

struct rm_thread {
    ck_epoch_record_t section; /* first line: begin, end and the check for the right domain */
    /* Shared, rarely written. */
    rm_word state;
    rm_word tid;
    rm_word light;             /* see epoch/light.h; pollers read it */
    struct rm_link of_domain;  /* in rangemap_domain.threads */
    struct rm_link of_process; /* in the list of all records, once for ever */
    struct rangemap_domain *domain;
    struct rm_thread *next_of_thread; /* this thread's records in other domains */
    /* The owner's own, or of whoever adopts the record. */
    unsigned busy RM_LINE_ALIGNED; /* > 0: inside an update or reclaiming; cache and bags in motion */
    unsigned shard;                /* where it hands its garbage to */
    unsigned committed;
    bool reclaiming;    /* inside callbacks that reclamation makes: they may not wait */
    struct rm_bag *bag; /* being filled, see epoch/retire.h */
    struct rm_bag *committed_bag;
    uint64_t unvisited; /* things handed to shards since it last did a share of their work */
    uint64_t unpolled;  /* the same since it last polled */
    uint64_t polled_ns; /* coarse time when it last looked after other shards */
    struct rm_light_account account;
    rm_word retries; /* compare-and-swaps lost by its updates, since the record is the domain's; all read */
    struct rm_cache cache;
};

/* The record used last by this thread; never NULL. One word, so that a signal handler sees all or none. */
RM_INTERNAL extern _Thread_local struct rm_thread *rm_thread_last __attribute__((tls_model("initial-exec")));

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
}

/* The calling thread's record in `domain` if it has one, else NULL. */
RM_INTERNAL struct rm_thread *rm_thread_existing(struct rangemap_domain *domain);

/* The slow way: another record of this thread, or a new one; NULL if out of memory. */
RM_INTERNAL struct rm_thread *rm_thread_find(struct rangemap_domain *domain);

/* Gives the calling thread's record back early. -EBUSY in a section or callback. */
RM_INTERNAL int rm_thread_detach(struct rangemap_domain *domain);

/* Hands every record of a domain that is about to go to FREE or ORPHAN. May wait for exiting threads. */
RM_INTERNAL void rm_thread_release_all(struct rangemap_domain *domain);

RM_INTERNAL int rm_gettid(void);

#if defined(RANGEMAP_EXPLORER)
/* Makes the caller the owner of `thread` (NULL: of none) instead of what it returns. */
RM_INTERNAL struct rm_thread *rm_thread_become(struct rm_thread *thread);
#endif

/* Whether the record belongs to the calling thread. */
RM_INTERNAL bool rm_thread_is_own(const struct rm_thread *thread);

/* All records of the process, for the child of a fork. */
RM_INTERNAL extern struct rm_stack rm_thread_all;

/* In the child of a fork: makes every other thread's record adoptable. */
RM_INTERNAL void rm_fork_child(void);

/* The calling thread's record in `domain`, attaching it if need be; NULL if out of memory. */
static inline struct rm_thread *rm_thread_current(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_last;

    if (RM_LIKELY(thread->section.global == &domain->epoch)) {
        return thread;
    }
    return rm_thread_find(domain);
}

#endif
