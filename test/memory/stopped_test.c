// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread stopped at a random instruction while it takes nodes from the pool and gives them back. Another one then
 * takes all that is there, without new memory: it gets everything but a slab or two, wherever the first one stands.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, gettid */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/memory/pool.h"
#include "test/check/crew.h"
#include "test/check/patience.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"
#include "test/stop/tracer.h"

enum { STOPS = 300, STEPS_MAX = 30, OWNER_BYTES = 4096, SLABS = 40, SLICES = 4096, HANG_SECONDS = 120 };

/* What the tracing process and the other one share. */
static struct shared {
    atomic_int tid;
    atomic_uint wanted, done; /* times that all was taken */
    atomic_ullong bytes;      /* what there was the last time */
    uint64_t seed;
} * shared;

static struct rm_pool *pool;
static bool refuses;

/* No malloc: the stopped thread could be inside. */
static void *take_chunk(size_t bytes, size_t alignment, void *context)
{
    char *wide;

    (void)context;
    if (refuses) {
        return NULL;
    }
    wide = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return wide == MAP_FAILED ? NULL : wide + (-(uintptr_t)wide & (alignment - 1));
}

/* None is given back before the end, which is the process's. */
static void keep_chunk(void *chunk, size_t bytes, void *context)
{
    (void)chunk;
    (void)bytes;
    (void)context;
}

/* All that there is, in the largest size. */
static uint64_t take_all(void)
{
    static struct rm_slice slice[SLICES];
    struct rm_seeker seeker = {.stripe = rm_stripe_of(0, 2)};
    uint64_t bytes = 0;
    unsigned count = 0;

    while (count < SLICES && rm_pool_take(pool, RM_LINES_MAX, 64, true, &seeker, &slice[count])) {
        bytes += (uint64_t)rm_bits_count(slice[count].nodes) * RM_LINES_MAX * RM_CACHE_LINE;
        count++;
    }
    while (count-- > 0) {
        rm_pool_give(pool, RM_LINES_MAX, slice[count]);
    }
    return bytes;
}

/* Takes and gives, of one slab after the other, for ever. */
static void *victim_main(void *unused)
{
    struct prng random = prng_stream(shared->seed, 1);
    struct rm_seeker seeker = {.stripe = rm_stripe_of(1, 2)};

    (void)unused;
    shared->tid = (int)syscall(SYS_gettid);
    for (;;) {
        unsigned lines = (unsigned)prng_between(&random, RM_LINES_MIN, RM_LINES_MAX);
        struct rm_slice slice;

        if (rm_pool_take(pool, lines, (unsigned)prng_between(&random, 1, 64), false, &seeker, &slice)) {
            rm_pool_give(pool, lines, slice);
        }
    }
    return NULL;
}

static void subject_main(void)
{
    static const struct rangemap_chunk_allocator chunks = {take_chunk, keep_chunk, NULL};
    struct rm_slab *slab[SLABS];
    pthread_t victim;
    void *home = rm_pool_home(&chunks, OWNER_BYTES);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pool = home;
    rm_pool_init(pool, &chunks, home, OWNER_BYTES);
    for (unsigned i = 0; i < SLABS; i++) { /* some memory, all of it free */
        slab[i] = rm_pool_take_slab(pool, 0);
    }
    for (unsigned i = 0; i < SLABS; i++) {
        rm_pool_give_slab(pool, slab[i]);
    }
    refuses = true;
    shared->bytes = take_all();
    shared->done = 1;
    if (pthread_create(&victim, NULL, victim_main, NULL) != 0) {
        _exit(1);
    }
    for (;;) {
        while (shared->done == shared->wanted) {
            sleep_milliseconds(0);
        }
        shared->bytes = take_all();
        shared->done = shared->wanted;
    }
}

static void await_done(void)
{
    struct patience patience = patience_of(HANG_SECONDS);

    while (shared->done != shared->wanted && !patience_is_over(&patience)) {
        sleep_milliseconds(0);
    }
    REQUIRE_EQ(shared->done, shared->wanted, "it waits for a thread that is stopped");
}

TEST_CASE(memory_stopped, holds_a_slab_or_two)
{
    struct prng random = prng_stream(test_seed(), 2);
    uint64_t all, least = UINT64_MAX;
    int reason;
    pid_t child;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    shared->seed = prng_next(&random);
    shared->wanted = 1;
    child = fork();
    if (child == 0) {
        subject_main();
    }
    REQUIRE_GT(child, 0);
    await_done();
    all = shared->bytes;
    while (shared->tid == 0) {
        sleep_milliseconds(1);
    }
    reason = tracer_attach(shared->tid);
    if (reason != 0) {
        (void)kill(child, SIGKILL);
        TEST_SKIP("ptrace is refused here: %s", strerror(reason));
    }
    for (unsigned i = 0; i < STOPS * test_scale(); i++) {
        REQUIRE(tracer_stop(shared->tid));
        for (unsigned steps = (unsigned)prng_below(&random, STEPS_MAX); steps > 0; steps--) {
            REQUIRE(tracer_step(shared->tid));
        }
        shared->wanted++;
        await_done();
        least = shared->bytes < least ? shared->bytes : least;
        tracer_continue(shared->tid);
    }
    tracer_detach(shared->tid);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, __WALL);
    printf("of %llu KiB, %llu at least were there\n", (unsigned long long)all / 1024,
           (unsigned long long)least / 1024);
    CHECK_GE(all, 256u * 1024);
    CHECK_GE(least + (uint64_t)2 * RM_SLAB_BYTES, all);
}
