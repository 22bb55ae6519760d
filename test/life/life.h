// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lives: what a process does to a domain over time, at random. Threads are born, make a few or many updates, hold
 * sections and snapshots, defer, detach, and end in every way there is; maps and plugins come and go; readers stall;
 * memory is refused; the process forks. Nothing is checked that a user could not see, but at every step: memory,
 * callbacks, waits, and that calls do nothing behind the caller's back.
 */
#ifndef TEST_LIFE_LIFE_H
#define TEST_LIFE_LIFE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/mutations/rules.h"
#include "test/shim/prng.h"

enum { LIFE_MAPS = 3, LIFE_KEYS = 4096, LIFE_CREW = 6 };

/* A callback in the middle, and with it a thread that reclaims, while the process forks. */
enum life_hold { LIFE_HOLD_NONE, LIFE_HOLD_WANTED, LIFE_HOLD_HOLDS };

struct life {
    struct prng prng;
    bool asked; /* callbacks are made when asked */
    struct rangemap_domain *domain;
    struct rangemap *map[LIFE_MAPS];
    atomic_ullong owned, released; /* values: how often one was given an owner, and lost one */
    atomic_ullong deferred, ran;   /* deferred calls */
    atomic_uint ending, ended;     /* maps that were destroyed without waiting */
    atomic_uint faults;            /* what callbacks and wrapped calls found wrong */
    _Atomic(const char *) first_fault;
    atomic_uint hold;         /* enum life_hold */
    unsigned most_threads;    /* alive at once, ever */
    atomic_ullong peak_bytes; /* in use when memory was asked for, at most */
    bool has_chunks;          /* the domain's memory comes from life_chunks */
};

/* The one that has begun and not ended, or NULL. */
extern struct life *life_present;

/* Begins a life in a new domain. */
void life_begin(struct life *life, uint64_t seed);

/* One step of it, with all checks. NULL, or what is wrong. */
const char *life_step(struct life *life);

/* What must be true between two steps. NULL, or what is wrong. Faults that were noted before come first. */
const char *life_check(struct life *life);

/* Notes how much is in use now, in the present life if there is one. Whenever memory is asked for. */
void life_note_peak(void);

/* Ends it. NULL, or what is wrong. */
const char *life_end(struct life *life);

/* A whole life of `steps` steps, from a seed. NULL, or what is wrong. */
const char *life_run(uint64_t seed, unsigned steps);

/*
 * Calls of malloc and its kind that were made inside calls of the library, by any thread, ever; 0 if they are not
 * seen.
 */
unsigned life_hidden_calls(void);

/* Around a call of the library by this thread: notes hidden calls and changes of errno. */
void life_enter(void);
void life_leave(struct life *life);

/* Around what callbacks do: it is the caller's own. */
void life_callback_enter(void);
void life_callback_leave(void);

void life_fault(struct life *life, const char *text);

/* What one thread does between its birth and its end; see visitor.c. */
struct visit {
    struct life *life;
    uint64_t seed;
    bool waits; /* it is to be cancelled while it waits */
};

void *life_visit(void *visit);

/* One thing that a thread does. */
void life_act(struct life *life, struct prng *prng);

/* Steps: see shortage.c, forks.c, plugins.c. */
void life_shortage(struct life *life);
void life_fork(struct life *life);
const char *life_plugin(struct life *life);

/* The rule that the plugins' libraries break, if they can. */
extern enum rm_rule life_plugin_breaks;

/* ---- memory.c ---- */

/* A chunk allocator, and the bytes that it has given and not got back. */
extern const struct rangemap_chunk_allocator life_chunks;
uint64_t life_chunk_bytes(void);

/* Bytes that libraries have mapped by system calls and not unmapped, plugins' included; 0 if they are not seen. */
uint64_t life_mapped_bytes(void);

/* From now on one of so many requests for memory is refused (0: none), by seed. */
void life_refuse(uint64_t seed, unsigned one_of);

/* How many were, ever. */
uint64_t life_refusals(void);

/* Callbacks made in the present call of the library by this thread. */
extern _Thread_local unsigned life_callbacks;

/* Whether callbacks may be made in the present call. */
extern _Thread_local bool life_may_call_back;

/* Deferred calls do not free: set where malloc's locks may be held by threads that there are no more. */
extern bool life_frees_nothing;

int life_create_map(struct life *life, struct rangemap **map);
int life_try_store(struct life *life, unsigned map, uint64_t start, uint64_t last);
void life_store(struct life *life, unsigned map, uint64_t start, uint64_t last);
void life_begin_update(const struct life *life);
void life_note_ended(void *life);
void life_carve(struct life *life, unsigned map, uint64_t start, uint64_t last);
void life_defer(struct life *life);

#endif
