// SPDX-License-Identifier: BSD-2-Clause
/* The threads of a run: coroutines that the library's scheduling points switch between. */
#ifndef RANGEMAP_TEST_EXPLORER_THREADS_H
#define RANGEMAP_TEST_EXPLORER_THREADS_H

#include "rangemap/epoch/own.h"
#include "test/explorer/schedule.h"
#include "test/mutations/rules.h"

/* The program's own thread, which does not take part in schedules. */
enum { THREADS_MAIN = SCHEDULE_THREADS - 1, THREADS_OPERATIONS = 8 };

typedef void threads_fn(unsigned self);

enum threads_memory {
    THREADS_AT_ONCE, /* every access is seen by all at once */
    THREADS_BUFFERS, /* stores stay in buffers for a while, as on x86 (buffers.h) */
    THREADS_WEAK     /* as C11 has it (views.h); only in a build whose accesses come to instrumented.c */
};

/* What they run on. */
struct threads_processor {
    enum threads_memory memory;
    bool strangers;    /* in weak memory: the threads know of each other by the map alone, not by a lock */
    unsigned refusals; /* how often the kernel refuses membarrier(2) at first */
};

/* Whose records they use. The caller goes on as THREADS_MAIN. */
void threads_set(struct rm_thread *const record[SCHEDULE_THREADS], const struct rangemap_domain *domain,
                 struct threads_processor on);

/* Runs them until all have ended, or until shadow_fault(). Returns the number of points. */
unsigned threads_run(struct schedule *schedule, unsigned count, threads_fn *body, enum rm_rule broken);

/*
 * A thread says that an operation begins or has ended. It has begun, and *begin is set, when it first touches
 * anything shared: what happened before that came before it. In weak memory that takes more than time: known[i] is
 * the end of the last operation of thread i that it knows of. Its answer goes into the fingerprint.
 */
void threads_begin(uint64_t *begin, uint64_t known[SCHEDULE_THREADS]);
uint64_t threads_end(uint64_t answer);

/* Whether a thread runs in weak memory, and which. */
bool threads_is_weak(unsigned *thread);

/* Whether the address is in one of their records. */
bool threads_is_record(const void *address);

/*
 * In weak memory: the thread is about to access the word atomically, in a place that rm_explorer_point() did not
 * announce.
 */
void threads_will_access(const void *word);

/* And it has: whether that was a fault is looked at. Also after a plain access. */
void threads_have_accessed(void);

/* A digest of all accesses and answers of the run. */
uint64_t threads_fingerprint(void);

#endif
