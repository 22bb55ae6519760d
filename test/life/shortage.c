// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory is refused, by the chunk allocator and by the kernel: each call works or says -ENOMEM; then it has changed
 * nothing, nothing is lost, and it works when there is memory again.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

enum { LOADED_MAX = 6000, TRIES = 6 };

/* One thing to be done, twice at most. 0 or a negative errno; `short_of` tells that memory is refused. */
typedef int attempt_fn(struct life *life, struct prng *prng);

/* A digest of all ranges of the map. */
static uint64_t digest(const struct rangemap *map)
{
    struct rangemap_entry entry;
    uint64_t key = 0, sum = 0;

    while (rangemap_next(map, key, &entry) == 0) {
        sum = prng_mix(sum ^ entry.start) + prng_mix(entry.last ^ (uintptr_t)entry.value);
        if (entry.last == UINT64_MAX) {
            break;
        }
        key = entry.last + 1;
    }
    return sum;
}

static int store_some(struct life *life, struct prng *prng)
{
    for (unsigned i = 0; i < 200; i++) {
        uint64_t start = prng_below(prng, LIFE_KEYS), before = digest(life->map[1]);
        int error = life_try_store(life, 1, start, start + prng_below(prng, 8));

        if (error != 0) {
            if (digest(life->map[1]) != before) {
                life_fault(life, "an update without memory changed something");
            }
            return error;
        }
    }
    return 0;
}

static int reserve_much(struct life *life, struct prng *prng)
{
    return rangemap_reserve(life->map[0], 1 + (unsigned)prng_below(prng, 100));
}

static int load_map(struct life *life, struct rangemap *map, uint64_t count)
{
    static struct rangemap_entry entries[LOADED_MAX];
    struct rangemap_entry entry;
    int error;

    for (uint64_t i = 0; i < count; i++) {
        entries[i] = (struct rangemap_entry){i * 4, i * 4 + 1, NULL};
    }
    error = rangemap_load(map, entries, count, NULL);
    if (error == 0) {
        life->owned += count;
    } else if (rangemap_next(map, 0, &entry) != -ENOENT) {
        life_fault(life, "a load without memory left something in the map");
    }
    return error;
}

static int create_and_load(struct life *life, struct prng *prng)
{
    struct rangemap *map;
    int error = life_create_map(life, &map);

    if (error == 0) {
        error = load_map(life, map, prng_below(prng, LOADED_MAX) + 1);
        life_may_call_back = true;
        if (rangemap_destroy(map) != 0) {
            life_fault(life, "a map cannot be destroyed");
        }
    }
    return error;
}

/* ---- by a thread that is new to its domain ---- */

static int use_new_domain(struct rangemap_domain *domain)
{
    struct rangemap_options options = {.domain = domain};
    struct rangemap_snapshot snapshot;
    struct rangemap *map;
    int error = rangemap_create(&options, &map);

    if (error != 0) {
        return error;
    }
    error = rangemap_snapshot_begin(map, &snapshot);
    if (error == 0) {
        rangemap_snapshot_end(&snapshot);
        error = rangemap_store(map, 1, 2, NULL, NULL, NULL);
    }
    return rangemap_destroy(map) == 0 ? error : -EIO;
}

/* A domain that was made can be destroyed when there is memory: its thread may not have been attached before. */
static int new_domain(struct life *life, struct prng *prng)
{
    struct rangemap_domain_options options = {.chunks = prng_below(prng, 2) == 0 ? &life_chunks : NULL};
    struct rangemap_domain *domain;
    int error = rangemap_domain_create(&options, &domain), destroyed;

    (void)life;
    if (error == 0) {
        error = use_new_domain(domain);
        destroyed = rangemap_domain_destroy(domain);
        if (destroyed != 0) {
            life_refuse(0, 0);
            destroyed = rangemap_domain_destroy(domain);
        }
        error = destroyed == 0 ? error : -EIO;
    }
    return error;
}

struct newcomer {
    struct life *life;
    uint64_t seed;
    int error;
};

static void *come_new(void *context)
{
    struct newcomer *newcomer = context;
    struct prng prng = prng_stream(newcomer->seed, 0);

    newcomer->error = 0;
    for (unsigned i = 0; i < 8 && newcomer->error == 0; i++) {
        newcomer->error = new_domain(newcomer->life, &prng);
    }
    return NULL;
}

static int come_as_new_thread(struct life *life, struct prng *prng)
{
    struct newcomer newcomer = {.life = life, .seed = prng_next(prng)};
    pthread_t thread;

    REQUIRE_EQ(pthread_create(&thread, NULL, come_new, &newcomer), 0);
    (void)pthread_join(thread, NULL);
    return newcomer.error;
}

/* ---- one after the other ---- */

static attempt_fn *const attempts[] = {store_some, reserve_much, create_and_load, come_as_new_thread};

/* What the library keeps for later is given up, so that it has to ask. */
static void give_up_all(struct life *life)
{
    life_may_call_back = true;
    (void)rangemap_domain_barrier(life->domain);
    (void)rangemap_domain_trim(life->domain);
}

void life_shortage(struct life *life)
{
    for (unsigned i = 0; i < TRIES; i++) {
        attempt_fn *attempt = attempts[prng_below(&life->prng, sizeof attempts / sizeof attempts[0])];
        struct prng first = prng_stream(prng_next(&life->prng), 0), second = first;
        int error;

        give_up_all(life);
        life_refuse(prng_next(&life->prng), 1 + (unsigned)prng_below(&life->prng, 4));
        life_may_call_back = true;
        error = attempt(life, &first);
        life_refuse(0, 0);
        if (error != 0 && error != -ENOMEM) {
            life_fault(life, "without memory a call fails with another error than -ENOMEM");
        }
        life_may_call_back = true;
        if (error != 0 && attempt(life, &second) != 0) {
            life_fault(life, "a call fails although there is memory again");
        }
    }
    give_up_all(life);
}
