// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checked mode: what stands before the public functions and stops the program where it misuses them. This is what it
 * knows of each thread.
 *
 * It is built in two ways: into the library (RANGEMAP_CHECKED; base/symbols.h), or as an object to be preloaded before
 * librangemap.so (RANGEMAP_CHECKED_PRELOAD). In any other build these files are empty.
 *
 * Nothing here calls malloc or takes a lock: lookups may be called in signal handlers, and maps from inside malloc.
 */
#ifndef RANGEMAP_CHECKED_THREAD_H
#define RANGEMAP_CHECKED_THREAD_H

#include "rangemap/base/compiler.h"

#if defined(RANGEMAP_CHECKED) || defined(RANGEMAP_CHECKED_PRELOAD)
#define RM_IS_CHECKED 1

#include <stdatomic.h>
#include <stdbool.h>

enum { RM_CHECKED_SECTIONS = 64, RM_CHECKED_SEEN = 1024 };

/* A section or snapshot that a thread has begun and not ended. */
struct rm_checked_section {
    _Atomic(const struct rangemap *) map;           /* NULL: begun for a domain, or a place being filled */
    _Atomic(const struct rangemap_domain *) domain; /* NULL: the default one */
    _Atomic uint64_t version;                       /* of a snapshot, else 0 */
    _Atomic(const void *) begun_at;                 /* return address of the begin */
    _Atomic uint64_t begun_ns;
};

/* A value that a thread has looked up in a section of the domain. */
struct rm_checked_seen {
    const struct rangemap_domain *domain;
    void *value;
};

/* Written by its own thread and its signal handlers; read by others. Never freed: the next thread takes it. */
struct rm_checked_thread {
    _Atomic(struct rm_checked_thread *) next;
    atomic_bool taken;
    atomic_int tid;
    atomic_uint open;                           /* sections */
    atomic_uint pure;                           /* callbacks that may call nothing, which it is in */
    _Atomic(const struct rangemap *) inside_of; /* the map that a call of it is busy with */
    unsigned destructor_rounds;
    const struct rangemap *reserved_map;
    unsigned reserved_updates, updates_since;
    struct rm_checked_section section[RM_CHECKED_SECTIONS];
    unsigned seen_count;
    struct rm_checked_seen seen[RM_CHECKED_SEEN];
};

/* The calling thread's. */
RM_INTERNAL struct rm_checked_thread *rm_checked_self(void);

/* The first thread, and the next, of those that are there; NULL: no more. */
RM_INTERNAL struct rm_checked_thread *rm_checked_first_thread(void);
RM_INTERNAL struct rm_checked_thread *rm_checked_next_thread(struct rm_checked_thread *thread);

/* The default domain's address is told when a map of it is made; from then on it is NULL, as its name is. */
RM_INTERNAL void rm_checked_learn_default(const struct rangemap_domain *domain);
RM_INTERNAL const struct rangemap_domain *rm_checked_domain(const struct rangemap_domain *domain);

RM_INTERNAL uint64_t rm_checked_now_ns(void);

#endif
#endif
