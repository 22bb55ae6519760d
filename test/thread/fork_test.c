// SPDX-License-Identifier: BSD-2-Clause
/*
 * After fork() both processes go on: the child with the map as it was, without the other threads, which must
 * not hold up its reclamation for ever.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

enum { ROWS = 2000, HANG_SECONDS = 60 };

struct family {
    struct rangemap_domain *domain;
    struct rangemap *map;
    sem_t inside, leave;
    atomic_bool stop;
};

static void family_init(struct family *family, const struct rangemap_domain_options *domain)
{
    struct rangemap_options options = {.domain = NULL};

    *family = (struct family){.domain = NULL};
    sem_init(&family->inside, 0, 0);
    sem_init(&family->leave, 0, 0);
    REQUIRE_EQ(rangemap_domain_create(domain, &family->domain), 0);
    options.domain = family->domain;
    REQUIRE_EQ(rangemap_create(&options, &family->map), 0);
    for (uint64_t i = 0; i < ROWS; i++) {
        REQUIRE_EQ(rangemap_insert(family->map, i * 8, i * 8 + 3, (void *)(uintptr_t)i, NULL), 0);
    }
}

static void family_free(struct family *family)
{
    CHECK_EQ(rangemap_destroy(family->map), 0);
    CHECK_EQ(rangemap_domain_destroy(family->domain), 0);
    sem_destroy(&family->inside);
    sem_destroy(&family->leave);
}

/* Twenty thousand updates between the rows. */
static bool update_rows(struct family *family)
{
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t key = i % ROWS * 8 + 5;

        if (rangemap_store(family->map, key, key, NULL, NULL, NULL) ||
            rangemap_carve(family->map, key, key, NULL, NULL)) {
            return false;
        }
    }
    return true;
}

static bool rows_are_there(struct family *family)
{
    void *value;

    for (uint64_t i = 0; i < ROWS; i++) {
        if (rangemap_lookup(family->map, i * 8 + 3, &value) || value != (void *)(uintptr_t)i) {
            return false;
        }
    }
    return true;
}

static uint64_t pending_bytes(struct family *family)
{
    struct rangemap_domain_statistics statistics;

    return rangemap_domain_stats(family->domain, &statistics) ? UINT64_MAX : statistics.pending_bytes;
}

/*
 * The rows are there, updates work, and all that they retire is reclaimed. The number of the failing step. What
 * threads that are no more had in hand at a fork may be lost, so it is enough that nothing is added to it.
 */
static int go_on(struct family *family)
{
    uint64_t lost;

    if (!rows_are_there(family)) {
        return 1;
    }
    if (rangemap_domain_barrier(family->domain)) {
        return 2;
    }
    lost = pending_bytes(family);
    if (!update_rows(family)) {
        return 3;
    }
    if (rangemap_validate(family->map, NULL, 0) || !rows_are_there(family)) {
        return 4;
    }
    if (rangemap_domain_synchronize(family->domain) || rangemap_domain_barrier(family->domain)) {
        return 5;
    }
    return pending_bytes(family) <= lost ? 0 : 6;
}

/* In a child: everything, down to the end of the domain. */
static void be_child(struct family *family, bool by_hand)
{
    int step;

    alarm(HANG_SECONDS);
    if (by_hand) {
        rangemap_after_fork_in_child();
    }
    step = go_on(family);
    if (step == 0 && (rangemap_destroy(family->map) || rangemap_domain_destroy(family->domain))) {
        step = 7;
    }
    _exit(step);
}

static void await_child(pid_t child)
{
    int status;

    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status), "the child died of signal %d", WTERMSIG(status));
    CHECK_EQ(WEXITSTATUS(status), 0, "the step at which the child failed");
}

static void fork_and_go_on(struct family *family)
{
    pid_t child = fork();

    REQUIRE_GE(child, 0);
    if (child == 0) {
        be_child(family, false);
    }
    await_child(child);
}

TEST_CASE(thread_fork, alone)
{
    struct family family;

    family_init(&family, NULL);
    fork_and_go_on(&family);
    CHECK_EQ(go_on(&family), 0);
    family_free(&family);
}

static void sit_in_section(unsigned index, void *context)
{
    struct family *family = context;

    (void)index;
    REQUIRE_EQ(rangemap_read_begin(family->map), 0);
    sem_post(&family->inside);
    sem_wait(&family->leave);
    rangemap_read_end(family->map);
}

/* The reader does not exist in the child, so it can't block there. */
TEST_CASE(thread_fork, beside_a_stalled_reader)
{
    struct family family;
    struct crew crew;

    family_init(&family, NULL);
    crew_start(&crew, 1, sit_in_section, &family);
    sem_wait(&family.inside);
    for (unsigned i = 0; i < 1000; i++) {
        REQUIRE_EQ(rangemap_store(family.map, 5, 5, NULL, NULL, NULL), 0);
    }
    fork_and_go_on(&family);
    sem_post(&family.leave);
    crew_join(&crew);
    CHECK_EQ(go_on(&family), 0);
    family_free(&family);
}

static void write_or_fork(unsigned index, void *context)
{
    struct family *family = context;

    if (index == 0) {
        for (unsigned i = 0; i < 20 * test_scale(); i++) {
            fork_and_go_on(family);
        }
        family->stop = true;
        return;
    }
    for (uint64_t i = 0; !family->stop && !crew_is_broken(); i++) {
        uint64_t key = i % ROWS * 8 + 5 + index % 2;

        REQUIRE_EQ(rangemap_store(family->map, key, key, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_carve(family->map, key, key, NULL, NULL), 0);
    }
}

/* Other threads are anywhere in an update when the fork happens. */
TEST_CASE(thread_fork, beside_writers)
{
    struct family family;

    family_init(&family, NULL);
    crew_run(3, write_or_fork, &family);
    CHECK_EQ(go_on(&family), 0);
    family_free(&family);
}

/* What was lost does not count against the child's limit for ever. */
static void write_or_fork_at_limit(unsigned index, void *context)
{
    struct family *family = context;
    pid_t child;

    for (unsigned i = 0; index == 0 && i < 20; i++) {
        child = fork();
        REQUIRE_GE(child, 0);
        if (child == 0) {
            alarm(HANG_SECONDS);
            rangemap_domain_barrier(family->domain);
            _exit(rangemap_store(family->map, 5, 5, NULL, NULL, NULL) ? 8 : 0);
        }
        await_child(child);
    }
    if (index == 0) {
        family->stop = true;
    }
    for (uint64_t i = 0; !family->stop && !crew_is_broken(); i++) {
        uint64_t key = i % ROWS * 8 + 5 + index % 2;
        int result = rangemap_store(family->map, key, key, NULL, NULL, NULL);

        REQUIRE(result == 0 || result == -EBUSY, "%d", result);
    }
}

TEST_CASE(thread_fork, beside_writers_at_the_hard_limit)
{
    const struct rangemap_domain_options options = {.hard_limit_bytes = 256 * 1024};
    struct family family;

    family_init(&family, &options);
    crew_run(3, write_or_fork_at_limit, &family);
    family_free(&family);
}

/*
 * Whether the system says that it wipes a page in children, and does not, as qemu-user 7.2. (Refused, the library
 * does without.)
 */
static bool wiping_is_ignored(void)
{
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_taken;
    int status = 0;
    pid_t child;

    REQUIRE_NE((void *)(uintptr_t)page, MAP_FAILED);
    is_taken = madvise((void *)(uintptr_t)page, 4096, MADV_WIPEONFORK) == 0;
    *page = 1;
    child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        _exit(*page);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    (void)munmap((void *)(uintptr_t)page, 4096);
    return is_taken && status != 0;
}

/* Made by other means than fork(): no handler runs. */
TEST_CASE(thread_fork, by_system_call)
{
    struct family family;
    struct crew crew;
    pid_t child;

    if (wiping_is_ignored()) {
        TEST_SKIP("madvise(MADV_WIPEONFORK) does nothing here");
    }
    family_init(&family, NULL);
    crew_start(&crew, 1, sit_in_section, &family);
    sem_wait(&family.inside);
    child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    REQUIRE_GE(child, 0);
    if (child == 0) {
        be_child(&family, true);
    }
    await_child(child);
    sem_post(&family.leave);
    crew_join(&crew);
    CHECK_EQ(go_on(&family), 0);
    family_free(&family);
}

/* A child's child, and the child's own threads. */
static void update_in_child(unsigned index, void *context)
{
    (void)index;
    if (go_on(context)) {
        _exit(8);
    }
}

TEST_CASE(thread_fork, child_with_threads_and_child)
{
    struct family family;
    pid_t child;

    family_init(&family, NULL);
    child = fork();
    REQUIRE_GE(child, 0);
    if (child == 0) {
        pid_t grandchild;
        int status = 0;

        alarm(HANG_SECONDS);
        crew_run(1, update_in_child, &family);
        grandchild = fork();
        if (grandchild == 0) {
            be_child(&family, false);
        }
        if (waitpid(grandchild, &status, 0) != grandchild || status) {
            _exit(9);
        }
        be_child(&family, false);
    }
    await_child(child);
    CHECK_EQ(go_on(&family), 0);
    family_free(&family);
}
