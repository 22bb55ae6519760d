// SPDX-License-Identifier: BSD-2-Clause
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include "test/life/life.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/shim/ctest.h"

struct life *life_present;

void life_begin(struct life *life, uint64_t seed)
{
    struct rangemap_domain_options options = {.soft_limit_bytes = 64 << 20};

    memset(life, 0, sizeof *life);
    life->prng = prng_stream(seed, 0);
    life->asked = prng_below(&life->prng, 2) == 1;
    life->has_chunks = prng_below(&life->prng, 2) == 0;
    options.chunks = life->has_chunks ? &life_chunks : NULL;
    options.callbacks = life->asked ? RANGEMAP_CALLBACKS_WHEN_ASKED : RANGEMAP_CALLBACKS_ANYWHERE;
    REQUIRE_EQ(rangemap_domain_create(&options, &life->domain), 0);
    life_present = life;
    for (unsigned i = 0; i < LIFE_MAPS; i++) {
        REQUIRE_EQ(life_create_map(life, &life->map[i]), 0);
    }
}

/* ---- steps ---- */

static void start(struct life *life, pthread_t *thread, struct visit *visit, bool waits)
{
    *visit = (struct visit){life, prng_next(&life->prng), waits};
    REQUIRE_EQ(pthread_create(thread, NULL, life_visit, visit), 0);
}

/* Threads that live at the same time; or one after the other, each dead before the next. */
static void visits(struct life *life)
{
    unsigned count = 1 + (unsigned)prng_below(&life->prng, LIFE_CREW);
    bool together = prng_below(&life->prng, 2) == 0;
    struct visit visit[LIFE_CREW];
    pthread_t thread[LIFE_CREW];

    for (unsigned i = 0; i < count; i++) {
        start(life, &thread[i], &visit[i], false);
        if (!together) {
            (void)pthread_join(thread[i], NULL);
        }
    }
    for (unsigned i = 0; together && i < count; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    life->most_threads = life->most_threads > count ? life->most_threads : count;
}

/* A thread that waits, for a reader or for nobody, and is cancelled while it does, or just before or after. */
static void cancelled_wait(struct life *life)
{
    bool stalls = prng_below(&life->prng, 3) == 0;
    struct visit visit;
    pthread_t thread;

    if (stalls) {
        REQUIRE_EQ(rangemap_read_begin(life->map[0]), 0);
    }
    start(life, &thread, &visit, true);
    (void)usleep((unsigned)prng_below(&life->prng, 3000));
    (void)pthread_cancel(thread);
    (void)usleep((unsigned)prng_below(&life->prng, 1000));
    if (stalls) {
        rangemap_read_end(life->map[0]);
    }
    (void)pthread_join(thread, NULL);
}

static void *store_many(void *life)
{
    for (uint64_t i = 0; i < 2000; i++) {
        life_store(life, 1, i % LIFE_KEYS, i % LIFE_KEYS);
    }
    return NULL;
}

/* A reader stalls while others update; when it goes on, no single update may pay for all of it. */
static void stalled_reader(struct life *life)
{
    pthread_t thread;

    REQUIRE_EQ(rangemap_read_begin(life->map[0]), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, store_many, life), 0);
    (void)pthread_join(thread, NULL);
    rangemap_read_end(life->map[0]);
    for (unsigned i = 0; i < 32; i++) {
        life_store(life, 2, i, i);
        (void)usleep(i % 8 == 0 ? 5000 : 0);
    }
}

static void replace_map(struct life *life)
{
    unsigned i = (unsigned)prng_below(&life->prng, LIFE_MAPS);

    if (prng_below(&life->prng, 2) == 0) {
        life_may_call_back = true;
        REQUIRE_EQ(rangemap_destroy(life->map[i]), 0);
    } else {
        life->ending++;
        life_begin_update(life);
        REQUIRE_EQ(rangemap_destroy_later(life->map[i], life_note_ended, life), 0);
        life_leave(life);
    }
    REQUIRE_EQ(life_create_map(life, &life->map[i]), 0);
}

const char *life_step(struct life *life)
{
    const char *fault = NULL;

    switch (prng_below(&life->prng, 13)) {
    case 0:
        life_fork(life);
        break;
    case 10:
        life_shortage(life);
        break;
    case 11:
        fault = life_plugin(life);
        break;
    case 1:
        cancelled_wait(life);
        break;
    case 2:
        stalled_reader(life);
        break;
    case 3:
        replace_map(life);
        break;
    default:
        visits(life);
    }
    return fault != NULL ? fault : life_check(life);
}

const char *life_end(struct life *life)
{
    const char *fault = NULL;

    life_may_call_back = true;
    for (unsigned i = 0; i < LIFE_MAPS; i++) {
        REQUIRE_EQ(rangemap_destroy(life->map[i]), 0);
    }
    life_present = NULL;
    if (rangemap_domain_destroy(life->domain) != 0) {
        fault = "the domain cannot be destroyed";
    } else if (life->owned != life->released || life->ending != life->ended) {
        fault = "values or maps are left at the end";
    } else if (life_chunk_bytes() != 0) {
        fault = "the domain is gone, and chunks of it are left";
    }
    return fault;
}

const char *life_run(uint64_t seed, unsigned steps)
{
    static struct life life;
    const char *fault = NULL;

    life_begin(&life, seed);
    for (unsigned i = 0; i < steps && fault == NULL; i++) {
        fault = life_step(&life);
    }
    return fault != NULL ? fault : life_end(&life);
}
