// SPDX-License-Identifier: BSD-2-Clause
/* The threads of a run: coroutines that the library's scheduling points switch between. */
#ifndef RANGEMAP_TEST_EXPLORER_THREADS_H
#define RANGEMAP_TEST_EXPLORER_THREADS_H

#include "rangemap/base/mutation.h"
#include "rangemap/epoch/thread.h"
#include "test/explorer/schedule.h"

/* The program's own thread, which does not take part in schedules. */
enum { THREADS_MAIN = SCHEDULE_THREADS - 1 };

typedef void threads_fn(unsigned self);

/* What they run on. */
struct threads_processor {
    bool buffers;      /* stores stay in buffers for a while, as on x86; else every access is seen at once */
    unsigned refusals; /* how often the kernel refuses membarrier(2) at first */
};

/* Whose records they use. The caller goes on as THREADS_MAIN. */
void threads_set(struct rm_thread *const record[SCHEDULE_THREADS], const struct rangemap_domain *domain,
                 struct threads_processor on);

/* Runs them until all have ended, or until shadow_fault(). Returns the number of points. */
unsigned threads_run(struct schedule *schedule, unsigned count, threads_fn *body, enum rm_rule broken);

/*
 * A thread says that an operation begins or has ended. It has begun, and *begin is set, when it first
 * touches anything shared: what happened before that came before it. Its answer goes into the fingerprint.
 */
void threads_begin(uint64_t *begin);
uint64_t threads_end(uint64_t answer);

/* A digest of all accesses and answers of the run. */
uint64_t threads_fingerprint(void);

#endif
