// SPDX-License-Identifier: BSD-2-Clause
/*
 * That reclamation does not stop half way: what a poll answers, how much one does, and that what idle and ended threads
 * left is found. All by counting calls of `release`, in one kind of place: hence its length.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

static atomic_uint released;

static void count(void *value, void *context)
{
    (void)value;
    (void)context;
    released++;
}

struct place {
    struct rangemap_domain *domain;
    struct rangemap *map;
    sem_t filled, leave;
    unsigned stores;
};

static void place_make(struct place *place, enum rangemap_callbacks callbacks, rangemap_value_fn *release)
{
    const struct rangemap_domain_options domain_options = {.callbacks = callbacks};
    struct rangemap_options options = {.release = release, .context = place};

    released = 0;
    REQUIRE_EQ(rangemap_domain_create(&domain_options, &place->domain), 0);
    options.domain = place->domain;
    REQUIRE_EQ(rangemap_create(&options, &place->map), 0);
    sem_init(&place->filled, 0, 0);
    sem_init(&place->leave, 0, 0);
}

static void place_end(struct place *place)
{
    CHECK_EQ(rangemap_destroy(place->map), 0);
    CHECK_EQ(rangemap_domain_destroy(place->domain), 0);
    sem_destroy(&place->filled);
    sem_destroy(&place->leave);
}

/* Each but the first displaces a value. */
static void store_times(struct place *place, uint64_t key, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        REQUIRE_EQ(rangemap_store(place->map, key, key, NULL, NULL, NULL), 0);
    }
}

/* Polls until one says that there is no more; how many it took. */
static unsigned poll_to_the_end(struct rangemap_domain *domain)
{
    unsigned polls = 1;

    while (rangemap_domain_poll(domain) == 1) {
        REQUIRE_LT(polls++, 10000u, "there is always more to do");
    }
    return polls;
}

static uint64_t pending(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics.pending_bytes;
}

/* It sleeps no longer than it may: with callbacks made when asked, and nothing to do, otherwise 100 ms at a time. */
TEST_CASE(share, serve_ends_in_time)
{
    enum { TIMES = 100 };
    double least_seconds = TIMES;
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    for (unsigned i = 0; i < TIMES; i++) {
        double begin = clock_now(), seconds;

        CHECK_EQ(rangemap_domain_serve(place.domain, 1), 0);
        seconds = clock_now() - begin;
        least_seconds = seconds < least_seconds ? seconds : least_seconds;
    }
    CHECK(least_seconds < 0.05, "%g s; the rest is the machine's", least_seconds);
    place_end(&place);
}

/* However full the bag is that is still open. */
TEST_CASE(share, poll_says_zero_when_nothing_is_left)
{
    struct place place;

    for (unsigned stores = 1; stores < 300; stores += stores < 80 ? 1 : 31) {
        place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
        store_times(&place, 7, stores + 1);
        CHECK_EQ(released, 0u);
        poll_to_the_end(place.domain);
        CHECK_EQ(released, stores, "after %u", stores);
        CHECK_EQ(pending(place.domain), 0u);
        CHECK_EQ(rangemap_domain_poll(place.domain), 0, "and again");
        place_end(&place);
    }
}

/* Nor does it stop before: each poll does a share, and no more than one. */
TEST_CASE(share, each_poll_does_its_share)
{
    enum { STORES = 5000, SHARE = 256 };
    struct place place;
    unsigned polls = 0, before = 0;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    store_times(&place, 7, STORES + 1);
    while (rangemap_domain_poll(place.domain) == 1) {
        CHECK_LE(released - before, (unsigned)SHARE + 1);
        before = released;
        REQUIRE_LT(polls++, 1000u);
    }
    CHECK_EQ(released, (unsigned)STORES);
    CHECK_GE(polls, (unsigned)STORES / SHARE);
    CHECK_LE(polls, 2 * (2 * STORES / SHARE) + 8, "nodes and values, and a few for epochs to pass");
    place_end(&place);
}

/*
 * An update disposes of as much as it and those since the last share handed over, and of three times that while more
 * than 128 KiB wait; of 64 things more if a tick of the coarse clock has passed. A store hands over a node and a value,
 * so all of that is even: whole stores. What waits has its grace period behind it, but for the last 64 things.
 */
TEST_CASE(share, updates_end_three_times_as_much_above_a_threshold)
{
    enum { THRESHOLD = 128 << 10, THINGS = 2, TICK = 64 / THINGS, BELOW = 2000, ABOVE_BYTES = 4 * THRESHOLD };
    struct place place;
    unsigned shares[2] = {0, 0}, since_share = 0;
    uint64_t store_bytes, left;

    place_make(&place, RANGEMAP_CALLBACKS_ANYWHERE, count);
    REQUIRE_EQ(rangemap_read_begin(place.map), 0);
    store_times(&place, 7, 2); /* the first one's garbage goes with the second's */
    left = pending(place.domain);
    store_times(&place, 7, 1);
    store_bytes = pending(place.domain) - left;
    store_times(&place, 7, (unsigned)(ABOVE_BYTES / store_bytes));
    CHECK_EQ(released, 0u);
    rangemap_read_end(place.map);
    REQUIRE_EQ(rangemap_domain_poll(place.domain), 1, "it ends the grace period of all that waits");
    for (unsigned i = 0; i < BELOW && (left = pending(place.domain)) > THRESHOLD / 4; i++) {
        unsigned before = released, ended, factor = left + store_bytes > THRESHOLD ? 3 : 1;

        store_times(&place, 7, 1);
        ended = released - before;
        since_share++;
        if (ended == 0) {
            continue;
        }
        if (shares[0] + shares[1] > 0) { /* before, it is not known since when */
            CHECK_GE(ended, factor * since_share, "%u waited", (unsigned)left);
            CHECK_LE(ended, factor * since_share + TICK, "%u waited", (unsigned)left);
        }
        since_share = 0;
        shares[factor == 1]++;
    }
    CHECK_GE(shares[0], 10u);
    CHECK_GE(shares[1], 10u);
    place_end(&place);
}

/* Limits act on pending bytes: they are all that waits, the lists that hold it included. */
TEST_CASE(share, what_waits_is_counted_with_its_lists)
{
    enum { STORES = 20000, OPEN_BYTES = 16 << 10 };
    struct rangemap_domain_statistics before, after;
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_ANYWHERE, count);
    store_times(&place, 7, 1);
    REQUIRE_EQ(rangemap_domain_stats(place.domain, &before), 0);
    REQUIRE_EQ(rangemap_read_begin(place.map), 0);
    store_times(&place, 7, STORES);
    REQUIRE_EQ(rangemap_domain_stats(place.domain, &after), 0);
    CHECK_LE(after.node_bytes - before.node_bytes, after.pending_bytes + OPEN_BYTES);
    CHECK_GE(after.node_bytes, after.pending_bytes);
    rangemap_read_end(place.map);
    place_end(&place);
}

static void poll_inside(void *value, void *context)
{
    struct place *place = context;

    (void)value;
    released++;
    CHECK_EQ(rangemap_domain_poll(place->domain), 1, "the call that it is inside of is not done");
}

TEST_CASE(share, poll_in_a_callback_says_that_there_is_more)
{
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_ANYWHERE, poll_inside);
    store_times(&place, 7, 500);
    CHECK_EQ(rangemap_domain_barrier(place.domain), 0);
    CHECK_EQ(released, 499u);
    place_end(&place);
}

TEST_CASE(share, a_section_leaves_more_to_do)
{
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_ANYWHERE, count);
    REQUIRE_EQ(rangemap_read_begin(place.map), 0);
    store_times(&place, 7, 10);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(rangemap_domain_poll(place.domain), 1);
    }
    CHECK_EQ(released, 0u);
    rangemap_read_end(place.map);
    poll_to_the_end(place.domain);
    CHECK_EQ(released, 9u);
    place_end(&place);
}

/* A section holds back what was retired since it began, and as much as one epoch before: what is older goes. */
static void check_sections_by_turns(unsigned sections_before)
{
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    for (unsigned i = 0; i < sections_before; i++) {
        REQUIRE_EQ(rangemap_read_begin(place.map), 0);
        rangemap_read_end(place.map);
    }
    for (unsigned turn = 0; turn < 4; turn++) {
        REQUIRE_EQ(rangemap_read_begin(place.map), 0);
        store_times(&place, 7, turn == 0 ? 100 : 0);
        for (unsigned i = 0; i < 5; i++) {
            (void)rangemap_domain_poll(place.domain);
        }
        if (turn == 0) {
            CHECK_EQ(released, 0u);
        } else if (turn == 3) {
            CHECK_EQ(released, 99u, "inside a section, after %u others", sections_before);
        }
        rangemap_read_end(place.map);
    }
    place_end(&place);
}

TEST_CASE(share, a_section_keeps_nothing_of_long_before)
{
    check_sections_by_turns(0);
    check_sections_by_turns(100000); /* so many, and they go without a fence of their own */
}

static void fill_and_wait(unsigned index, void *context)
{
    struct place *place = context;

    store_times(place, 100 + index, place->stores);
    sem_post(&place->filled);
    sem_wait(&place->leave);
}

static void fill(unsigned index, void *context)
{
    struct place *place = context;

    store_times(place, 100 + index, place->stores);
}

/* What others handed over before they fell idle is disposed of by who polls; a bag that they still fill is theirs. */
TEST_CASE(share, polls_see_to_idle_threads)
{
    enum { THREADS = 20, OPEN = 64 };
    struct place place = {.stores = 1000};
    struct crew crew;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    crew_start(&crew, THREADS, fill_and_wait, &place);
    for (unsigned i = 0; i < THREADS; i++) {
        sem_wait(&place.filled);
    }
    CHECK_EQ(released, 0u);
    poll_to_the_end(place.domain);
    CHECK_GE(released, (unsigned)THREADS * (999 - OPEN));
    CHECK_EQ(pending(place.domain), 0u);
    for (unsigned i = 0; i < THREADS; i++) {
        sem_post(&place.leave);
    }
    crew_join(&crew);
    place_end(&place);
    CHECK_EQ(released, THREADS * 1000u);
}

/* ---- what is handed on while a poll goes from thread to thread ---- */

/* An object whose callback defers it again, so many times in all. */
struct chain {
    struct rangemap_deferred deferred;
    struct place place;
    unsigned left;
};

static void hand_on(struct rangemap_deferred *deferred, void *context)
{
    struct chain *chain = context;

    if (--chain->left > 0) {
        REQUIRE_EQ(rangemap_domain_defer(chain->place.domain, deferred, hand_on, chain), 0);
    }
}

static void defer_and_wait(unsigned index, void *context)
{
    struct chain *chain = context;

    (void)index;
    REQUIRE_EQ(rangemap_domain_defer(chain->place.domain, &chain->deferred, hand_on, chain), 0);
    sem_post(&chain->place.filled);
    sem_wait(&chain->place.leave);
}

/* The caller, whose record comes first, has it from the other, whose record is looked at later. */
TEST_CASE(share, poll_sees_what_callbacks_hand_over)
{
    struct chain chain = {.left = 5};
    struct crew crew;

    place_make(&chain.place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    crew_start(&crew, 1, defer_and_wait, &chain);
    sem_wait(&chain.place.filled);
    poll_to_the_end(chain.place.domain);
    CHECK_EQ(chain.left, 0u);
    sem_post(&chain.place.leave);
    crew_join(&crew);
    place_end(&chain.place);
}

static void note_end(void *context)
{
    bool *has_ended = context;

    *has_ended = true;
}

/* A map that was ended goes from thread to thread, and back to who ended it. */
TEST_CASE(share, poll_sees_maps_that_end)
{
    struct place place = {.stores = 1000};
    struct rangemap_options options = {.release = count};
    struct rangemap *map;
    bool has_ended = false;
    struct crew crew;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    options.domain = place.domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    crew_start(&crew, 1, fill_and_wait, &place);
    sem_wait(&place.filled);
    for (uint64_t i = 0; i < 1000; i++) {
        REQUIRE_EQ(rangemap_store(map, i, i, NULL, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_destroy_later(map, note_end, &has_ended), 0);
    poll_to_the_end(place.domain);
    CHECK(has_ended);
    sem_post(&place.leave);
    crew_join(&crew);
    place_end(&place);
}

/* Of threads that have ended, all of it. */
TEST_CASE(share, polls_see_to_threads_that_ended)
{
    enum { THREADS = 20 };
    struct place place = {.stores = 100};

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    for (unsigned round = 0; round < 3; round++) {
        crew_run(THREADS, fill, &place);
    }
    for (unsigned i = 0; i < 4; i++) { /* some must be found out first */
        poll_to_the_end(place.domain);
    }
    CHECK_EQ(released, THREADS * 299u);
    place_end(&place);
}

/* Updates of one thread bring the others' backlog down, too, as the coarse clock ticks. */
TEST_CASE(share, updates_see_to_threads_that_ended)
{
    enum { THREADS = 30, LIMIT_MS = 10000 };
    struct place place = {.stores = 300};
    unsigned left, waited;

    place_make(&place, RANGEMAP_CALLBACKS_ANYWHERE, count);
    crew_run(THREADS, fill, &place);
    left = THREADS * 299 - released;
    for (waited = 0; released < THREADS * 299 && waited < LIMIT_MS; waited++) {
        store_times(&place, 7, 1);
        sleep_milliseconds(1);
    }
    CHECK_LT(waited, (unsigned)LIMIT_MS, "%u of %u are left", THREADS * 299 - released, left);
    place_end(&place);
}

TEST_CASE(share, serve_answers)
{
    struct place place;

    place_make(&place, RANGEMAP_CALLBACKS_WHEN_ASKED, count);
    CHECK_EQ(rangemap_domain_serve(place.domain, 0), 0);
    CHECK_EQ(rangemap_domain_serve(place.domain, 5), 0);
    store_times(&place, 7, 2);
    CHECK_EQ(rangemap_domain_serve(place.domain, -1), 1);
    CHECK_EQ(released, 1u);
    REQUIRE_EQ(rangemap_read_begin(place.map), 0);
    CHECK_EQ(rangemap_domain_serve(place.domain, 0), -EDEADLK);
    rangemap_read_end(place.map);
    CHECK_EQ(rangemap_domain_serve(place.domain, 0), 0);
    place_end(&place);
}

static uint64_t clock_of_ns(clockid_t clock)
{
    struct timespec time;

    REQUIRE_EQ(clock_gettime(clock, &time), 0);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Who waits sleeps: of the time that it waits it uses a small part. */
TEST_CASE(share, serve_sleeps)
{
    for (enum rangemap_callbacks callbacks = RANGEMAP_CALLBACKS_ANYWHERE;
         callbacks <= RANGEMAP_CALLBACKS_WHEN_ASKED; callbacks++) {
        uint64_t used_ns, waited_ns;
        struct place place;

        place_make(&place, callbacks, count);
        waited_ns = clock_of_ns(CLOCK_MONOTONIC);
        used_ns = clock_of_ns(CLOCK_THREAD_CPUTIME_ID);
        CHECK_EQ(rangemap_domain_serve(place.domain, 250), 0);
        used_ns = clock_of_ns(CLOCK_THREAD_CPUTIME_ID) - used_ns;
        waited_ns = clock_of_ns(CLOCK_MONOTONIC) - waited_ns;
        CHECK_GE(waited_ns, 240000000u, "callbacks %d", (int)callbacks);
        CHECK_LT(used_ns, waited_ns / 2, "callbacks %d", (int)callbacks);
        place_end(&place);
    }
}
