// SPDX-License-Identifier: BSD-2-Clause
/* Threads: what they do, and how they end. */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

/* ThreadSanitizer ends what it knows of a thread in the last round, and cannot be called afterwards. */
#if defined(__SANITIZE_THREAD__)
enum { LATE_ROUNDS = 2 };
#else
enum { LATE_ROUNDS = 4 };
#endif

static pthread_key_t late_key;
static pthread_once_t late_once = PTHREAD_ONCE_INIT;

static _Thread_local struct visit *late_visit;
static _Thread_local unsigned late_rounds;

/*
 * Rounds of destructors: after the last one nothing of pthread's comes any more, as when libc gives the stack back and
 * a hook sees it. In every round the map is used.
 */
static void use_late(void *visit)
{
    struct visit *late = visit;

    life_store(late->life, 0, late->seed % LIFE_KEYS, late->seed % LIFE_KEYS);
    if (++late_rounds < LATE_ROUNDS) {
        (void)pthread_setspecific(late_key, visit);
    }
}

static void make_late_key(void)
{
    REQUIRE_EQ(pthread_key_create(&late_key, use_late), 0);
}

static void look(struct life *life, struct prng *prng)
{
    struct rangemap *map = life->map[prng_below(prng, LIFE_MAPS)];
    struct rangemap_entry entry;

    life_enter();
    (void)rangemap_find(map, prng_below(prng, LIFE_KEYS), &entry);
    (void)rangemap_next(map, prng_below(prng, LIFE_KEYS), &entry);
    life_leave(life);
}

static void look_in_snapshot(struct life *life, struct prng *prng)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_entry entry;

    life_enter();
    if (rangemap_snapshot_begin(life->map[0], &snapshot) == 0) {
        (void)rangemap_snapshot_find(&snapshot, prng_below(prng, LIFE_KEYS), &entry);
        rangemap_snapshot_end(&snapshot);
    }
    life_leave(life);
}

static void leave_early(struct life *life)
{
    life_enter();
    (void)rangemap_domain_detach(life->domain);
    if (rangemap_domain_is_attached(life->domain) != 0 || rangemap_read_try_begin(life->map[0]) != -ESRCH) {
        life_fault(life, "attached after it has detached");
    }
    life_leave(life);
}

static void update(struct life *life, struct prng *prng)
{
    unsigned map = (unsigned)prng_below(prng, LIFE_MAPS);
    uint64_t start = prng_below(prng, LIFE_KEYS), last = start + prng_below(prng, 16);

    if (prng_below(prng, 3) == 0) {
        life_carve(life, map, start, last);
    } else {
        life_store(life, map, start, last);
    }
}

void life_act(struct life *life, struct prng *prng)
{
    switch (prng_below(prng, 16)) {
    case 0:
        leave_early(life);
        break;
    case 1:
        life_defer(life);
        break;
    case 2:
        look_in_snapshot(life, prng);
        break;
    case 3:
        life_enter();
        (void)rangemap_reserve(life->map[0], 2);
        life_leave(life);
        break;
    case 4:
    case 5:
    case 6:
        look(life, prng);
        break;
    case 7:
        (void)usleep(50);
        break;
    default:
        update(life, prng);
    }
}

/* Cancelled here, or not. Whatever it was in the middle of must not matter to anyone. */
static void wait_somewhere(struct life *life, struct prng *prng)
{
    life_may_call_back = true;
    switch (prng_below(prng, 6)) {
    case 3:
    case 4:
    case 5:
        for (;;) { /* the cancellation may reach it in a callback */
            update(life, prng);
            life_may_call_back = true;
            (void)rangemap_domain_poll(life->domain);
            pthread_testcancel();
        }
    case 0:
        (void)rangemap_domain_synchronize(life->domain);
        break;
    case 1:
        (void)rangemap_domain_barrier(life->domain);
        break;
    default:
        for (;;) {
            (void)rangemap_domain_serve(life->domain, -1);
            pthread_testcancel();
        }
    }
}

static void end_somehow(struct visit *visit, struct prng *prng)
{
    switch (prng_below(prng, 5)) {
    case 0:
        (void)pthread_once(&late_once, make_late_key);
        late_visit = visit;
        (void)pthread_setspecific(late_key, visit);
        break;
    case 1: /* a mistake, from which others do not suffer */
        if (rangemap_read_begin(visit->life->map[0]) == 0) {
            look(visit->life, prng);
        }
        break;
    case 2:
        pthread_exit(NULL);
    default:
        break;
    }
}

void *life_visit(void *argument)
{
    struct visit *visit = argument;
    struct prng prng = prng_stream(visit->seed, 0);
    unsigned acts = prng_below(&prng, 4) == 0 ? 200 : (unsigned)prng_below(&prng, 4);

    for (unsigned i = 0; i < acts; i++) {
        life_act(visit->life, &prng);
    }
    if (visit->waits) {
        wait_somewhere(visit->life, &prng);
    } else {
        end_somehow(visit, &prng);
    }
    return NULL;
}
