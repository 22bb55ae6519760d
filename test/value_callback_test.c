// SPDX-License-Identifier: BSD-2-Clause
/* Callbacks that use the map themselves: displaced ranges put back elsewhere, releases that update. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/check/patience.h"
#include "test/shim/ctest.h"

enum { COUNT = 500 };

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

struct mover {
    struct rangemap *map;
    unsigned moved;
};

/* Puts what was displaced back, high up; sees that the update is done. */
static void move_up(const struct rangemap_entry *entry, void *context)
{
    struct mover *mover = context;
    uint64_t up = UINT64_C(1) << 32;
    struct rangemap_entry found;

    REQUIRE_EQ(rangemap_find(mover->map, entry->start, &found), 0);
    REQUIRE_EQ(found.value, word(UINT64_MAX), "after the update took effect");
    REQUIRE_EQ(rangemap_insert(mover->map, entry->start + up, entry->last + up, entry->value, NULL), 0);
    mover->moved++;
}

TEST_CASE(value_callback, displaced_inserts)
{
    struct mover mover = {.moved = 0};
    struct rangemap_entry entry;

    REQUIRE_EQ(rangemap_create(NULL, &mover.map), 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        REQUIRE_EQ(rangemap_insert(mover.map, i * 4, i * 4 + 2, word(i), NULL), 0);
    }
    REQUIRE_EQ(rangemap_store(mover.map, 0, COUNT * 4, word(UINT64_MAX), move_up, &mover), 0);
    CHECK_EQ(mover.moved, (unsigned)COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        REQUIRE_EQ(rangemap_find(mover.map, i * 4 + (UINT64_C(1) << 32) + 1, &entry), 0);
        REQUIRE_EQ(entry.value, word(i));
    }
    require_valid(mover.map, "moved");
    CHECK_EQ(rangemap_destroy(mover.map), 0);
}

/* Each displaced range starts one more store in the callback, over what that one displaces, and so on. */
static void chain(const struct rangemap_entry *entry, void *context)
{
    struct mover *mover = context;

    mover->moved++;
    if (entry->start > 0) {
        REQUIRE_EQ(rangemap_carve(mover->map, entry->start - 1, entry->start - 1, chain, mover), 0);
    }
}

TEST_CASE(value_callback, displaced_nests)
{
    struct mover mover = {.moved = 0};
    struct rangemap_entry entry;

    REQUIRE_EQ(rangemap_create(NULL, &mover.map), 0);
    for (uint64_t i = 0; i < 100; i++) {
        REQUIRE_EQ(rangemap_insert(mover.map, i, i, word(i), NULL), 0);
    }
    REQUIRE_EQ(rangemap_carve(mover.map, 99, 99, chain, &mover), 0);
    CHECK_EQ(mover.moved, 100u);
    CHECK_EQ(rangemap_first(mover.map, &entry), -ENOENT);
    CHECK_EQ(rangemap_destroy(mover.map), 0);
}

struct ledger {
    struct rangemap *map, *log;
    atomic_uint released;
};

/* Logs the release in another map, and stores over the log so that more has to be released. */
static void log_release(void *value, void *context)
{
    struct ledger *ledger = context;

    ledger->released++;
    REQUIRE_EQ(rangemap_store(ledger->log, (uintptr_t)value, (uintptr_t)value, value, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_store(ledger->log, COUNT, COUNT, value, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_lookup(ledger->log, COUNT, NULL), 0);
}

static void ledger_init(struct ledger *ledger, struct rangemap_domain *domain)
{
    struct rangemap_options options = {.domain = domain};

    ledger->released = 0;
    REQUIRE_EQ(rangemap_create(&options, &ledger->log), 0);
    options.release = log_release;
    options.context = ledger;
    REQUIRE_EQ(rangemap_create(&options, &ledger->map), 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        REQUIRE_EQ(rangemap_insert(ledger->map, i * 4, i * 4 + 2, word(i), NULL), 0);
    }
}

TEST_CASE(value_callback, release_updates_another_map)
{
    struct rangemap_domain *domain = NULL;
    struct ledger ledger;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    ledger_init(&ledger, domain);
    REQUIRE_EQ(rangemap_carve(ledger.map, 0, 4 * COUNT / 2 - 1, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(ledger.released, COUNT / 2u);
    CHECK_EQ(rangemap_is_covered(ledger.log, 0, COUNT / 2 - 1), 1);
    CHECK_EQ(rangemap_destroy(ledger.map), 0);
    CHECK_EQ(ledger.released, (unsigned)COUNT);
    CHECK_EQ(rangemap_is_covered(ledger.log, 0, COUNT), 1);
    CHECK_EQ(rangemap_destroy(ledger.log), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* Each release erases one more range of the same map, whose release erases the next, up to the last. */
static void release_next(void *value, void *context)
{
    struct ledger *ledger = context;
    int result;

    ledger->released++;
    if (ledger->released < COUNT) {
        result = rangemap_erase(ledger->map, ((uintptr_t)value + 1) * 4, NULL);
        CHECK_EQ(result, 0);
    }
}

TEST_CASE(value_callback, release_updates_its_own_map)
{
    struct ledger ledger = {.released = 0};
    struct rangemap_domain *domain = NULL;
    struct rangemap_options options = {.release = release_next, .context = &ledger};

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &ledger.map), 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        REQUIRE_EQ(rangemap_insert(ledger.map, i * 4, i * 4 + 2, word(i), NULL), 0);
    }
    REQUIRE_EQ(rangemap_erase(ledger.map, 0, NULL), 0);
    for (unsigned i = 0; i < 10 * COUNT && ledger.released < COUNT; i++) {
        REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
    }
    CHECK_EQ(ledger.released, (unsigned)COUNT);
    CHECK_EQ(rangemap_is_free(ledger.map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(ledger.map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* A release runs outside any section of the call that it runs in: one that were open would hold up others. */
struct section_probe {
    struct rangemap_domain *domain;
    sem_t ask, answer;
    unsigned runs, held_up;
};

static void synchronize_when_asked(unsigned index, void *context)
{
    struct section_probe *probe = context;

    (void)index;
    sem_wait(&probe->ask);
    CHECK_EQ(rangemap_domain_synchronize(probe->domain), 0);
    sem_post(&probe->answer);
}

static void probe_section(void *value, void *context)
{
    struct section_probe *probe = context;
    struct patience patience = patience_of(60);

    (void)value;
    if (probe->runs++ == 0) {
        sem_post(&probe->ask);
        while (sem_trywait(&probe->answer) != 0 && probe->held_up == 0) {
            probe->held_up += patience_is_over(&patience);
            (void)sched_yield();
        }
    }
}

struct inner_probe {
    struct rangemap *map;
    unsigned calls, inside;
};

static void probe_inside(void *value, void *context)
{
    struct inner_probe *probe = context;

    (void)value;
    probe->calls++;
    probe->inside += rangemap_in_section(probe->map) != 0;
}

static void store_more(const struct rangemap_entry *entry, void *context)
{
    struct rangemap *map = context;

    (void)entry;
    for (unsigned i = 0; i < 3000; i++) {
        REQUIRE_EQ(rangemap_store(map, 100, 200, NULL, NULL, NULL), 0);
    }
}

static void probe_pressure(struct rangemap_domain *domain, const struct rangemap_blocker *blocker,
                           void *context)
{
    struct inner_probe *probe = context;

    (void)domain;
    (void)blocker;
    probe->calls++;
    probe->inside += rangemap_in_section(probe->map) != 0;
}

/* Nor in that of the update whose callback has made the update. */
TEST_CASE(value_callback, release_runs_outside_the_section_of_an_outer_update)
{
    struct inner_probe probe = {.map = NULL};
    const struct rangemap_domain_options domain_options = {
        .soft_limit_bytes = 1, .pressure = probe_pressure, .context = &probe};
    struct rangemap_options options = {.release = probe_inside, .context = &probe};
    struct rangemap_domain *domain;

    REQUIRE_EQ(rangemap_domain_create(&domain_options, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &probe.map), 0);
    REQUIRE_EQ(rangemap_insert(probe.map, 1, 2, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_store(probe.map, 1, 2, NULL, store_more, probe.map), 0);
    CHECK_GE(probe.calls, 1u, "the outer update does the share");
    REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_GE(probe.calls, 3000u);
    CHECK_EQ(probe.inside, 0u);
    CHECK_EQ(rangemap_destroy(probe.map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(value_callback, release_runs_outside_sections)
{
    struct section_probe probe = {.runs = 0};
    struct rangemap_options options = {.release = probe_section, .context = &probe};
    struct rangemap *map;
    struct crew crew;

    REQUIRE_EQ(rangemap_domain_create(NULL, &probe.domain), 0);
    options.domain = probe.domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    sem_init(&probe.ask, 0, 0);
    sem_init(&probe.answer, 0, 0);
    crew_start(&crew, 1, synchronize_when_asked, &probe);
    for (unsigned i = 0; i < 3000; i++) {
        REQUIRE_EQ(rangemap_store(map, 1, 2, NULL, NULL, NULL), 0);
    }
    CHECK_GE(probe.runs, 100u, "updates run callbacks");
    REQUIRE_EQ(rangemap_domain_barrier(probe.domain), 0);
    CHECK_EQ(probe.held_up, 0u);
    CHECK_EQ(probe.runs, 2999u);
    crew_join(&crew);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(probe.domain), 0);
}
