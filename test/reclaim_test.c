// SPDX-License-Identifier: BSD-2-Clause
/* Faults of reclamation that a review found, each with the state that showed it. */
#include <errno.h>
#include <linux/membarrier.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

static struct rangemap_domain *new_domain(uint64_t hard_limit_bytes)
{
    struct rangemap_domain_options options = {.hard_limit_bytes = hard_limit_bytes};
    struct rangemap_domain *domain = NULL;

    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    return domain;
}

static struct rangemap *new_map(struct rangemap_domain *domain, rangemap_value_fn *release, void *context)
{
    struct rangemap_options options = {.domain = domain, .release = release, .context = context};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static uint64_t pending_bytes(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics = {0};

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics.pending_bytes;
}

/* ---- a release callback that does not return for long ---- */

struct blocked {
    struct rangemap *map;
    sem_t inside, leave;
    unsigned releases;
};

static void block_once(void *value, void *context)
{
    struct blocked *blocked = context;

    (void)value;
    if (blocked->releases++ == 0) {
        sem_post(&blocked->inside);
        sem_wait(&blocked->leave);
    }
}

static void update_until_blocked(unsigned index, void *context)
{
    struct blocked *blocked = context;

    (void)index;
    while (blocked->releases == 0) {
        REQUIRE_EQ(rangemap_store(blocked->map, 0, 9, NULL, NULL, NULL), 0);
    }
}

/* The others go on in other shards, whichever they had in common with the blocked one. */
static void update_beside(unsigned index, void *context)
{
    struct rangemap *map = context;

    (void)index;
    for (unsigned i = 0; i < 50000; i++) {
        REQUIRE_EQ(rangemap_store(map, 0, i % 100, NULL, NULL, NULL), 0);
    }
}

TEST_CASE(reclaim, a_blocked_callback_holds_up_nobody_else)
{
    struct rangemap_domain *domain = new_domain(0);
    struct rangemap *plain = new_map(domain, NULL, NULL);
    struct blocked blocked = {.map = NULL};
    struct crew crew, others;

    sem_init(&blocked.inside, 0, 0);
    sem_init(&blocked.leave, 0, 0);
    blocked.map = new_map(domain, block_once, &blocked);
    crew_start(&crew, 1, update_until_blocked, &blocked);
    sem_wait(&blocked.inside);
    crew_start(&others, 9, update_beside, plain); /* more than there are shards */
    crew_join(&others);
    for (unsigned i = 0; i < 5000; i++) {
        (void)rangemap_domain_poll(domain); /* threads that were preempted in sections left much behind */
    }
    CHECK_LT(pending_bytes(domain), 1024 * 1024);
    sem_post(&blocked.leave);
    crew_join(&crew);
    CHECK_EQ(rangemap_destroy(blocked.map), 0);
    CHECK_EQ(rangemap_destroy(plain), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* ---- callbacks that use the domain ---- */

static void try_to_detach(void *value, void *context)
{
    (void)value;
    CHECK_EQ(rangemap_domain_detach(context), -EBUSY);
    CHECK_EQ(rangemap_domain_barrier(context), -EDEADLK);
}

TEST_CASE(reclaim, callbacks_of_destroy_keep_the_thread)
{
    struct rangemap_domain *domain = new_domain(0);
    struct rangemap *map = new_map(domain, try_to_detach, domain);

    REQUIRE_EQ(rangemap_insert(map, 1, 2, NULL, NULL), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

struct again {
    struct rangemap_deferred deferred; /* first */
    struct rangemap_domain *domain;
    unsigned left;
};

static void defer_again(struct rangemap_deferred *deferred, void *context)
{
    struct again *again = (struct again *)(void *)deferred;

    (void)context;
    if (again->left-- > 1) {
        CHECK_EQ(rangemap_domain_defer(again->domain, deferred, defer_again, NULL), 0);
    }
}

TEST_CASE(reclaim, domain_destroy_runs_what_callbacks_defer)
{
    struct again again = {.domain = new_domain(0), .left = 5};

    REQUIRE_EQ(rangemap_domain_defer(again.domain, &again.deferred, defer_again, NULL), 0);
    CHECK_EQ(rangemap_domain_destroy(again.domain), 0);
    CHECK_EQ(again.left, 0);
}

static void free_deferred(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    free(deferred);
}

/*
 * The one reference to the object is the library's, and the domain stays. If that is no reference to the leak checker,
 * the process fails at its end under AddressSanitizer.
 */
TEST_CASE(reclaim, what_waits_at_the_end_is_no_leak)
{
    static struct rangemap_domain *stays;
    struct rangemap_deferred *deferred = malloc(sizeof *deferred);

    stays = new_domain(0);
    REQUIRE_NE(deferred, NULL);
    CHECK_EQ(rangemap_domain_defer(stays, deferred, free_deferred, NULL), 0);
}

/* ---- limits, ends, forks ---- */

TEST_CASE(reclaim, load_reclaims_before_it_gives_up)
{
    const struct rangemap_entry entry = {1, 2, NULL};
    struct rangemap_domain *domain = new_domain(1);
    struct rangemap *map = new_map(domain, NULL, NULL);
    int result = 0;

    for (unsigned i = 0; i < 1000 && result == 0; i++) {
        result = rangemap_load(map, &entry, 1, NULL);
        result = result == 0 ? rangemap_carve(map, 0, 9, NULL, NULL) : result;
    }
    CHECK_EQ(result, 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(reclaim, ends_without_begin_are_ignored)
{
    struct rangemap_domain *domain = new_domain(0);
    struct rangemap *map = new_map(domain, NULL, NULL);
    struct rangemap_snapshot snapshot;

    rangemap_read_end(map);
    rangemap_read_end(NULL);
    rangemap_domain_read_end(domain);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    rangemap_snapshot_end(&snapshot);
    rangemap_snapshot_end(&snapshot);
    CHECK_EQ(rangemap_domain_synchronize(domain), 0);
    CHECK_EQ(rangemap_domain_detach(domain), 0);
    rangemap_read_end(map);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* In the child: 0 if the backlog that it inherited drains and updates are not refused for ever. */
static int child_drains(struct rangemap_domain *domain, struct rangemap *map)
{
    for (unsigned i = 0; i < 100000 && rangemap_domain_poll(domain) != 0; i++) {
    }
    if (rangemap_domain_poll(domain) != 0) {
        return 1;
    }
    return rangemap_store(map, 0, 9, NULL, NULL, NULL) == 0 ? 0 : 2;
}

TEST_CASE(reclaim, a_forked_child_inherits_no_phantom_backlog)
{
    struct rangemap_domain *domain = new_domain(1024 * 1024);
    struct rangemap *plain = new_map(domain, NULL, NULL);
    struct blocked blocked = {.map = NULL};
    struct crew crew;
    int status = -1;
    pid_t child;

    sem_init(&blocked.inside, 0, 0);
    sem_init(&blocked.leave, 0, 0);
    blocked.map = new_map(domain, block_once, &blocked);
    crew_start(&crew, 1, update_until_blocked, &blocked);
    sem_wait(&blocked.inside); /* a claim is held, with a backlog behind it */
    for (unsigned i = 0; i < 1000; i++) {
        REQUIRE_EQ(rangemap_store(plain, 0, i % 10, NULL, NULL, NULL), 0);
    }
    child = fork();
    if (child == 0) {
        _exit(child_drains(domain, plain));
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    sem_post(&blocked.leave);
    crew_join(&crew);
    CHECK_EQ(rangemap_destroy(blocked.map), 0);
    CHECK_EQ(rangemap_destroy(plain), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(reclaim, whole_trees_come_and_go_in_bounded_memory)
{
    enum { RANGES = 20000, ROUNDS = 100 };
    static struct rangemap_entry entry[RANGES];
    struct rangemap_domain_statistics statistics = {0};
    struct rangemap_domain *domain = new_domain(0);
    struct rangemap *map = new_map(domain, NULL, NULL);

    for (uint64_t i = 0; i < RANGES; i++) {
        entry[i] = (struct rangemap_entry){i * 16, i * 16 + 7, NULL};
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct rangemap *other = new_map(domain, NULL, NULL);

        REQUIRE_EQ(rangemap_load(other, entry, RANGES, NULL), 0);
        REQUIRE_EQ(rangemap_load(map, entry, RANGES, NULL), 0);
        CHECK_EQ(rangemap_destroy(other), 0);
        REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    CHECK_LT(statistics.chunk_bytes, (uint64_t)RANGES * 40 * 10); /* ten trees of a hundred */
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(reclaim, membarrier_cannot_be_forgone_late)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    bool has_it = commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0;

    REQUIRE_EQ(rangemap_domain_attach(NULL), 0);
    CHECK_EQ(rangemap_forgo_membarrier(), has_it ? -EBUSY : 0);
}
