// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/crew.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "test/check/jitter.h"

static atomic_bool broken;

bool crew_is_broken(void)
{
    return atomic_load(&broken);
}

static void leave_early(void *argument)
{
    (void)argument;
    atomic_store(&broken, true);
}

static void *run_member(void *argument)
{
    struct crew_member *member = argument;

    pthread_barrier_wait(&member->crew->start);
    if (member->crew->jittered) {
        jitter_begin();
    }
    pthread_cleanup_push(leave_early, NULL);
    member->crew->body(member->index, member->crew->context);
    pthread_cleanup_pop(0);
    if (member->crew->jittered) {
        jitter_end();
    }
    return NULL;
}

static void start(struct crew *crew, unsigned count, crew_body *body, void *context, bool jittered)
{
    if (count > CREW_MAX) {
        abort();
    }
    crew->body = body;
    crew->context = context;
    crew->count = count;
    crew->jittered = jittered;
    if (pthread_barrier_init(&crew->start, NULL, count)) {
        abort();
    }
    for (unsigned i = 0; i < count; i++) {
        crew->member[i] = (struct crew_member){.crew = crew, .index = i};
        if (pthread_create(&crew->member[i].thread, NULL, run_member, &crew->member[i])) {
            abort();
        }
    }
}

void crew_start(struct crew *crew, unsigned count, crew_body *body, void *context)
{
    start(crew, count, body, context, false);
}

void crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        pthread_join(crew->member[i].thread, NULL);
    }
    pthread_barrier_destroy(&crew->start);
}

void crew_run(unsigned count, crew_body *body, void *context)
{
    struct crew crew;

    crew_start(&crew, count, body, context);
    crew_join(&crew);
}

void crew_run_jittered(unsigned count, crew_body *body, void *context)
{
    struct crew crew;

    start(&crew, count, body, context, true);
    crew_join(&crew);
}

double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void sleep_milliseconds(unsigned milliseconds)
{
    struct timespec pause = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nanosleep(&pause, NULL);
}
