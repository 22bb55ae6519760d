// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whoever polls must see every section that may have read what was unlinked before (rangemap/epoch/light.h).
 * The litmus test of it, on real processors: in every round one thread begins a section and reads a word, while
 * another changes the word and then looks whether a section is open. Old word and no section must not meet.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/section.h"
#include "test/shim/ctest.h"

enum { ROUNDS = 50000, SPINS = 1000 };

/* What the reader does in a round. */
enum way {
    ALREADY_LIGHT, /* its section begins without a fence */
    BECOMES_LIGHT, /* a fenced section earns that, the next one reads */
    WAYS
};

struct litmus {
    struct rangemap_domain *domain;
    struct rm_thread *reader;
    enum way way;
    bool revokes;                   /* false: the poller forgets it, to see what comes of that */
    _Alignas(64) atomic_uint round; /* both begin with it */
    _Alignas(64) atomic_uint word;
    _Alignas(64) atomic_uint polled; /* last round in which the poller has looked */
    _Alignas(64) atomic_uint read;   /* last round in which the section has ended */
    unsigned word_read;
};

static void await(const atomic_uint *counter, unsigned value)
{
    for (unsigned looks = 0; atomic_load_explicit(counter, memory_order_acquire) != value; looks++) {
        if (looks < SPINS) {
            ck_pr_stall();
        } else {
            (void)sched_yield();
        }
    }
}

/* Between the rounds: light or not, by the owner. */
static void prepare(struct litmus *litmus)
{
    rm_light_init(litmus->reader);
    if (litmus->way == ALREADY_LIGHT) {
        rm_light_review(litmus->reader);
    } else {
        litmus->reader->account.fences_until_review = 1;
    }
}

static void read_once(struct litmus *litmus)
{
    if (litmus->way == BECOMES_LIGHT) {
        rm_section_enter(litmus->reader);
        rm_section_leave(litmus->reader);
    }
    rm_section_enter(litmus->reader);
    litmus->word_read = atomic_load_explicit(&litmus->word, memory_order_relaxed);
}

static void *run_reader(void *argument)
{
    struct litmus *litmus = argument;

    litmus->reader = rm_thread_current(litmus->domain);
    atomic_store(&litmus->read, 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        prepare(litmus);
        await(&litmus->round, round);
        read_once(litmus);
        await(&litmus->polled, round);
        rm_section_leave(litmus->reader);
        atomic_store_explicit(&litmus->read, round, memory_order_release);
    }
    return NULL;
}

/* Whether the round broke the promise. */
static bool poll_once(struct litmus *litmus, unsigned round)
{
    bool sees_section;

    atomic_store_explicit(&litmus->word, round, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* that of rm_grace_poll() */
    if (litmus->revokes) {
        REQUIRE(rm_light_revoke_all(litmus->domain));
    }
    sees_section = ck_pr_load_uint(&litmus->reader->section.active) != 0;
    atomic_store_explicit(&litmus->polled, round, memory_order_release);
    await(&litmus->read, round);
    return !sees_section && litmus->word_read != round;
}

/* How many rounds broke the promise. */
static unsigned play(enum way way, bool revokes)
{
    struct litmus litmus = {.way = way, .revokes = revokes};
    unsigned broken = 0;
    pthread_t reader;

    REQUIRE_EQ(rangemap_domain_create(NULL, &litmus.domain), 0);
    atomic_store(&litmus.read, UINT32_MAX);
    REQUIRE_EQ(pthread_create(&reader, NULL, run_reader, &litmus), 0);
    await(&litmus.read, 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        atomic_store_explicit(&litmus.round, round, memory_order_release);
        for (unsigned pause = round % 64; pause > 0; pause--) {
            ck_pr_stall();
        }
        broken += poll_once(&litmus, round);
    }
    (void)pthread_join(reader, NULL);
    CHECK_EQ(rangemap_domain_destroy(litmus.domain), 0);
    return broken;
}

TEST_CASE(section, poller_sees_every_section)
{
    for (unsigned repeat = 0; repeat < test_scale(); repeat++) {
        for (enum way way = ALREADY_LIGHT; way < WAYS; way++) {
            CHECK_EQ(play(way, true), 0u, "way %d", (int)way);
        }
    }
}

/* Shows that the test above can fail: how often depends on the machine, so the number is only reported. */
TEST_CASE(section, poller_that_forgets_the_fence)
{
    unsigned broken = play(ALREADY_LIGHT, false);

    printf("without taking light sections away, %u of %d rounds go wrong\n", broken, ROUNDS);
}
