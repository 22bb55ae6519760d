// SPDX-License-Identifier: BSD-2-Clause
/*
 * The records of a domain, by place: a record keeps its place until the domain ends, whether it has a thread or
 * not. Places are handed out in order, in pages of nodes of the domain's pool; a bit for each place tells whether its
 * record is attached, so that what concerns live threads costs by their number, and one word for some forty places.
 */
#ifndef RANGEMAP_EPOCH_ROSTER_H
#define RANGEMAP_EPOCH_ROSTER_H

#include "rangemap/base/atomic.h"
#include "rangemap/node/layout.h"

struct rm_thread;

enum { RM_ROSTER_LINES = RM_LINES_MAX, RM_ROSTER_PLACES = RM_ROSTER_LINES * RM_CACHE_LINE / 8 - 2 };

struct rm_roster_page {
    rm_word next; /* page; set once */
    /*
     * A bit for each place: by the record's owner, set before its first section, cleared after its last. Both are
     * read-modify-writes and so full fences: a poller that does not find the bit comes before what the owner reads.
     */
    rm_word attached;
    rm_word record[RM_ROSTER_PLACES]; /* 0: place not taken yet; set once */
};

_Static_assert(sizeof(struct rm_roster_page) <= (size_t)RM_ROSTER_LINES * RM_CACHE_LINE, "a page is a node");
_Static_assert(RM_ROSTER_PLACES < 64, "one bit each");

struct rm_roster {
    rm_word places;         /* taken; any thread adds, may be more than there are for a moment */
    rm_word attached;       /* how many records are; a hint */
    rm_word reaped_ns;      /* coarse time of the last look for records whose thread is gone */
    rm_word reaped_all_ns;  /* the same, of all of them by an attach */
    rm_word looked, tended; /* where walks over a few at a time go on; hints */
    /* Places in a page, as bits, whose threads have updated in this span of time, and in the last; hints. */
    rm_word updating, updated;
    rm_word span_ns; /* when this one began, by the coarse clock */
    struct rm_roster_page first;
};

/* A walk over the records of a domain: those that are attached, or all. */
struct rm_roster_walk {
    const struct rm_roster_page *page;
    uint64_t left; /* places of `page`, as bits */
    bool all;
    const struct rm_roster_page *again; /* after the end it goes on there, once; or NULL */
};

static inline uint64_t rm_roster_places_of(const struct rm_roster_walk *walk)
{
    return walk->all ? (UINT64_C(1) << RM_ROSTER_PLACES) - 1 : rm_load_acquire(&walk->page->attached);
}

static inline struct rm_roster_walk rm_roster_begin(const struct rm_roster *roster, bool all)
{
    struct rm_roster_walk walk = {&roster->first, 0, all, NULL};

    walk.left = rm_roster_places_of(&walk);
    return walk;
}

/* The next record; NULL at the end. One that is attached meanwhile may be missed. */
static inline struct rm_thread *rm_roster_next(struct rm_roster_walk *walk)
{
    for (;;) {
        while (walk->left == 0) {
            walk->page = rm_load_pointer(&walk->page->next);
            if (walk->page == NULL) {
                walk->page = walk->again;
                walk->again = NULL;
            }
            if (walk->page == NULL) {
                return NULL;
            }
            walk->left = rm_roster_places_of(walk);
        }
        struct rm_thread *record = rm_load_pointer(&walk->page->record[__builtin_ctzll(walk->left)]);

        walk->left &= walk->left - 1;
        if (record != NULL) {
            return record;
        }
    }
}

/*
 * Passes over the next `count` records, or fewer if there are not so many; they come after the last. For a thread that
 * looks at fewer than there are, and goes on where it ended: all are looked at equally often.
 */
static inline void rm_roster_skip(struct rm_roster_walk *walk, uint64_t count)
{
    uint64_t here = (uint64_t)__builtin_popcountll(walk->left);

    walk->again = walk->page;
    while (count >= here) {
        const struct rm_roster_page *next = rm_load_pointer(&walk->page->next);

        if (next == NULL) {
            return;
        }
        count -= here;
        walk->page = next;
        walk->left = rm_roster_places_of(walk);
        here = (uint64_t)__builtin_popcountll(walk->left);
    }
    for (; count > 0; count--) {
        walk->left &= walk->left - 1;
    }
}

/* Of the threads that update, as far as bits for places tell them apart: how many there are, and come before it. */
struct rm_roster_rank {
    unsigned own, threads;
};

/* Notes that the record's thread updates, by that thread and once in a tick. Its rank among all that lately did. */
RM_INTERNAL struct rm_roster_rank rm_roster_note_update(struct rm_roster *roster,
                                                        const struct rm_thread *thread, uint64_t now_ns);

/* In the child of a fork, whose other threads may have been between a bit and the count of them. */
RM_INTERNAL void rm_roster_recount(struct rm_roster *roster);

/* Gives the record of `thread` a place, for ever; not attached yet. False: out of memory. Lock-free. */
RM_INTERNAL bool rm_roster_add(struct rm_roster *roster, struct rm_thread *thread);

/* Whether the record has a thread. */
RM_INTERNAL bool rm_roster_is_attached(const struct rm_thread *thread);

/* By the record's owner. */
RM_INTERNAL void rm_roster_set_attached(struct rm_roster *roster, const struct rm_thread *thread,
                                        bool attached);

#endif
