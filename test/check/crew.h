// SPDX-License-Identifier: BSD-2-Clause
/* Threads for tests: a crew of them that start together, and a clock to stop them by. */
#ifndef TEST_CHECK_CREW_H
#define TEST_CHECK_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CREW_MAX = 64 };

typedef void crew_body(unsigned index, void *context);

struct crew_member {
    pthread_t thread;
    struct crew *crew;
    unsigned index;
};

struct crew {
    crew_body *body;
    void *context;
    pthread_barrier_t start;
    unsigned count;
    bool jittered; /* see jitter.h */
    struct crew_member member[CREW_MAX];
};

/* Starts `count` threads that call body(0..count-1, context), all at the same time. */
void crew_start(struct crew *crew, unsigned count, crew_body *body, void *context);
void crew_join(struct crew *crew);

/* Both. */
void crew_run(unsigned count, crew_body *body, void *context);

/* The same, and all of them are interrupted all the time, see jitter.h. */
void crew_run_jittered(unsigned count, crew_body *body, void *context);

/* Whether a member of any crew has left early, by a REQUIRE that failed: others should not wait for it. */
bool crew_is_broken(void);

/* Seconds on the monotonic clock. */
double clock_now(void);

/* Sleeps for about that long. */
void sleep_milliseconds(unsigned milliseconds);

#ifdef __cplusplus
}
#endif

#endif
