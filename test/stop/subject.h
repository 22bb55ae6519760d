// SPDX-License-Identifier: BSD-2-Clause
/*
 * A process with threads that do nothing but operate on a map, made to be stopped from outside. What it tells
 * lies in memory that it shares with the tracer.
 */
#ifndef RANGEMAP_TEST_STOP_SUBJECT_H
#define RANGEMAP_TEST_STOP_SUBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SUBJECT_THREADS = 4 };

struct subject_thread {
    _Alignas(128) atomic_int tid;
    atomic_bool inside; /* in operate() */
    atomic_ullong done; /* operations */
};

struct subject {
    pid_t process;
    uint64_t seed;
    bool tracks_gaps; /* the map */
    struct subject_thread thread[SUBJECT_THREADS];
    atomic_bool leave;
    atomic_int bad; /* an answer that is impossible; 0: there was none */
    /* Thread 0 forks when it is asked to, and waits for the child; one at a time. */
    atomic_uint forks_wanted, forks_done;
    atomic_int child_step; /* at which the child failed, see subject.c; 0: it did not */
};

/* Forks it and waits until all threads operate. NULL if that failed. */
struct subject *subject_start(uint64_t seed, bool tracks_gaps);

/* Ends it, and returns its exit status: 0 if the map is valid. */
int subject_end(struct subject *subject);

void subject_kill(struct subject *subject);

#endif
