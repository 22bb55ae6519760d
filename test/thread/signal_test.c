// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lookups and queries in a signal handler that interrupts updates, lookups and reclamation of the same thread
 * at any instruction. What is permanent must be found, whole.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#define _GNU_SOURCE         /* SIGEV_THREAD_ID */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

/* glibc 2.36 does not name the member. */
#if !defined(sigev_notify_thread_id)
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { KEYS = 4000, PERMANENT = 16 };

static struct rangemap *map;
static atomic_uint signals, failures;
static atomic_bool is_timed; /* by set_timer() */
static _Thread_local struct prng handler_random;

/* Every 16th key is a range of its own that stays; its value is the key. The keys after it come and go. */
static bool is_permanent(const struct rangemap_entry *entry, uint64_t key)
{
    return entry->start == key && entry->last == key && entry->value == (void *)(uintptr_t)key;
}

static bool look_around(uint64_t key)
{
    struct rangemap_entry entry;
    struct rangemap_cursor cursor;
    struct rangemap_snapshot snapshot;
    uint64_t keys[4] = {key, key, key, key};
    void *value = NULL;
    bool good = rangemap_lookup(map, key, &value) == 0 && value == (void *)(uintptr_t)key;

    good &= rangemap_find(map, key, &entry) == 0 && is_permanent(&entry, key);
    good &= rangemap_overlap(map, key, key + 5, &entry) == 0 && is_permanent(&entry, key);
    good &= rangemap_lookup_batch(map, keys, 4, NULL, NULL) == 4;
    good &= rangemap_is_free(map, key, key) == 0 && rangemap_is_covered(map, key, key) == 1;
    good &= rangemap_previous(map, key + PERMANENT, &entry) == 0 && entry.start >= key;
    good &= rangemap_cursor_init(&cursor, map, key, key) == 0 && rangemap_cursor_next(&cursor, &entry) == 0 &&
            is_permanent(&entry, key);
    good &= rangemap_read_begin(map) == 0 && rangemap_lookup_held(map, key, &value) == 0;
    rangemap_read_end(map);
    good &= rangemap_snapshot_begin(map, &snapshot) == 0 &&
            rangemap_snapshot_find(&snapshot, key, &entry) == 0 && is_permanent(&entry, key);
    rangemap_snapshot_end(&snapshot);
    return good;
}

/* One shot at a time: where a handler takes longer than the pause, the thread would get nowhere. */
static void set_timer(int number)
{
    const struct itimerval soon = {{0, 0}, {0, 150}};

    REQUIRE_EQ(setitimer(number == SIGALRM ? ITIMER_REAL : ITIMER_PROF, &soon, NULL), 0);
}

static void on_signal(int number)
{
    int saved = errno;
    uint64_t key = prng_below(&handler_random, KEYS / PERMANENT) * PERMANENT;

    (void)number;
    atomic_fetch_add(&signals, 1);
    if (!look_around(key)) {
        atomic_fetch_add(&failures, 1);
    }
    if (is_timed) {
        set_timer(number);
    }
    errno = saved;
}

/* All kinds of updates between the permanent keys, with lookups and a barrier now and then. */
static void update_between(struct prng *random)
{
    uint64_t start = prng_below(random, KEYS / PERMANENT) * PERMANENT + 1;
    uint64_t last = start + prng_below(random, PERMANENT - 1);

    switch (prng_below(random, 4)) {
    case 0:
        REQUIRE_EQ(rangemap_store(map, start, last, NULL, NULL, NULL), 0);
        break;
    case 1:
        REQUIRE_EQ(rangemap_carve(map, start, last, NULL, NULL), 0);
        break;
    case 2:
        rangemap_insert(map, start, last, NULL, NULL);
        break;
    default:
        REQUIRE_EQ(rangemap_lookup(map, start - 1, NULL), 0);
    }
}

static void update_under_signals(unsigned index, void *context)
{
    struct prng random = prng_stream(test_seed(), 400 + index);
    unsigned wanted = *(const unsigned *)context;

    handler_random = prng_stream(test_seed(), 500 + index);
    REQUIRE_EQ(rangemap_domain_attach(NULL), 0);
    for (unsigned i = 0; i < 100000 || (signals < wanted && !crew_is_broken()); i++) {
        update_between(&random);
        if (i % 10000 == 0) {
            REQUIRE_EQ(rangemap_domain_barrier(NULL), 0);
        }
    }
}

static void begin(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    signals = failures = 0;
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (uint64_t key = 0; key < KEYS; key += PERMANENT) {
        REQUIRE_EQ(rangemap_insert(map, key, key, (void *)(uintptr_t)key, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_attach(NULL), 0);
    REQUIRE_EQ(sigaction(number, &action, NULL), 0);
}

static void end(int number, unsigned wanted)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    REQUIRE_EQ(sigaction(number, &action, NULL), 0);
    printf("%u signals\n", signals);
    CHECK_GE(signals, wanted);
    CHECK_EQ(failures, 0u);
    require_valid(map, "after signals");
    CHECK_EQ(rangemap_destroy(map), 0);
}

static void run_with_timer(int number, unsigned threads)
{
    unsigned wanted = 500 * test_scale();

    begin(number);
    is_timed = true;
    set_timer(number);
    if (threads == 0) {
        update_under_signals(0, &wanted);
    } else {
        crew_run(threads, update_under_signals, &wanted);
    }
    is_timed = false;
    end(number, wanted);
}

TEST_CASE(thread_signal, one_thread)
{
    run_with_timer(SIGALRM, 0);
}

TEST_CASE(thread_signal, several_threads)
{
    run_with_timer(SIGPROF, 2);
}

/* As a profiler does: SIGPROF to each thread a thousand times a second, whatever the others are at. */
static void update_profiled(unsigned index, void *context)
{
    const struct itimerspec often = {{0, 1000000}, {0, 1000000}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    sigset_t ours;
    timer_t timer;

    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    REQUIRE_EQ(rangemap_domain_attach(NULL), 0);
    REQUIRE_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    REQUIRE_EQ(timer_settime(timer, 0, &often, NULL), 0);
    update_under_signals(index, context);
    sigemptyset(&ours);
    sigaddset(&ours, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    timer_delete(timer);
}

TEST_CASE(thread_signal, profiled_at_one_kilohertz)
{
    unsigned wanted = 3000 * test_scale();

    begin(SIGPROF);
    crew_run(3, update_profiled, &wanted);
    end(SIGPROF, wanted);
}
