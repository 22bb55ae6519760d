// SPDX-License-Identifier: BSD-2-Clause
/*
 * docs/manual.md, section 13, held to the truth: each function is called in each context in which the table
 * allows it, and must work there; where it names an error, that must come. What it forbids is not tried. One file,
 * since every context is a variation of the same stage.
 */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/context/calls.h"
#include "test/context/table.h"
#include "test/shim/ctest.h"

enum { HANG_SECONDS = 60, NOT_TO_BE_CALLED = 1 };

static struct table table;

/* 0: must work; negative: must fail so; NOT_TO_BE_CALLED. A word that nobody knows is an error of the table's. */
static int expectation(const char *cell)
{
    static const char *const works[] = {"yes",       "nests",         "ends it",
                                        "required",  "any",           "attached",
                                        "balanced",  "in a section",  "yes, to little use",
                                        "its place", "of another map"};

    for (unsigned i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(cell, works[i]) == 0) {
            return 0;
        }
    }
    if (strcmp(cell, "-EDEADLK") == 0) {
        return -EDEADLK;
    }
    if (strcmp(cell, "-EBUSY") == 0) {
        return -EBUSY;
    }
    CHECK(strcmp(cell, "no") == 0 || strncmp(cell, "no: ", 4) == 0, "what is '%s'?", cell);
    return NOT_TO_BE_CALLED;
}

/* Calls for a process that uses the library not yet, or no more: there is a map. */
static bool comes_too_early_or_late(const struct call *call)
{
    return strcmp(call->label, "rangemap_forgo_membarrier()") == 0 ||
           strcmp(call->label, "rangemap_unload()") == 0;
}

/* Makes the stage's call happen in some context, once. */
/* Makes the stage's call happen in some context, once. Each is tried with maps that track gaps and with others. */
typedef void context_fn(struct stage *stage);

/* Held lookups get the section that they need. */
static void try_here(struct stage *stage)
{
    bool in_section = stage->call->needs == NEEDS_SECTION;

    if (in_section) {
        CHECK_EQ(rangemap_read_begin(stage->map), 0);
    }
    stage_try(stage);
    if (in_section) {
        rangemap_read_end(stage->map);
    }
}

static void check_in(const char *name, context_fn *context, bool presses, const struct call *call,
                     int expected)
{
    for (int tracks_gaps = 0; tracks_gaps <= 1; tracks_gaps++) {
        struct stage stage;

        stage_init(&stage, call, (struct stage_options){presses, tracks_gaps});
        context(&stage);
        CHECK_EQ(stage.tries, 1u, "%s %s", call->label, name);
        CHECK_EQ(stage.result, expected, "%s %s, gaps tracked: %d", call->label, name, tracks_gaps);
        stage_free(&stage);
    }
}

/* In one context, all functions for which `column` has something. How many there were. */
static unsigned check_column(const char *name, context_fn *context, enum column column)
{
    unsigned checked = 0;

    for (unsigned i = 0; i < table.count; i++) {
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);
        int expected = expectation(table.row[i][column]);

        if (call != NULL && expected != NOT_TO_BE_CALLED) {
            check_in(name, context, false, call, expected);
            checked++;
        }
    }
    return checked;
}

/* ---- the table ---- */

TEST_CASE(context, table_has_each_function_once)
{
    unsigned count;
    const struct call *call = calls_all(&count);

    table_read(&table);
    for (unsigned i = 0; i < table.count; i++) {
        CHECK_NE(call_named(table.row[i][COLUMN_FUNCTION]), NULL, "%s", table.row[i][COLUMN_FUNCTION]);
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned rows = 0;

        for (unsigned j = 0; j < table.count; j++) {
            rows += strcmp(table.row[j][COLUMN_FUNCTION], call[i].label) == 0;
        }
        CHECK_EQ(rows, 1u, "%s", call[i].label);
    }
}

/* ---- threads ---- */

static unsigned attached(struct stage *stage)
{
    struct rangemap_domain_statistics statistics = {0};

    CHECK_EQ(rangemap_domain_stats(stage->domain, &statistics), 0);
    return statistics.threads;
}

static void on_thread(unsigned index, void *context)
{
    struct stage *stage = context;
    unsigned before = attached(stage);

    (void)index;
    if (stage->call->needs == NEEDS_SECTION) {
        before++;
    }
    stage->try(stage);
    for (unsigned i = 0; i < table.count; i++) {
        if (strcmp(table.row[i][COLUMN_FUNCTION], stage->call->label) == 0 &&
            strcmp(table.row[i][COLUMN_ALLOCATES], "no") == 0) {
            CHECK_EQ(attached(stage), before, "%s makes a record", stage->call->label);
        }
    }
}

/* A thread that the domain does not know. */
static void in_new_thread(struct stage *stage)
{
    stage->try = try_here;
    crew_run(1, on_thread, stage);
    stage->try = NULL;
}

TEST_CASE(context, any_thread)
{
    table_read(&table);
    for (unsigned i = 0; i < table.count; i++) {
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);

        if (call != NULL && strcmp(table.row[i][COLUMN_THREAD], "any") == 0) {
            check_in("in a new thread", in_new_thread, false, call, 0);
        }
    }
}

/* ---- sections ---- */

static void in_section(struct stage *stage)
{
    REQUIRE_EQ(rangemap_read_begin(stage->map), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(stage->spare), 0);
    stage_try(stage);
    rangemap_domain_read_end(stage->spare);
    rangemap_read_end(stage->map);
}

static void in_snapshot(struct stage *stage)
{
    struct rangemap_snapshot snapshot;

    REQUIRE_EQ(rangemap_snapshot_begin(stage->map, &snapshot), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(stage->spare), 0);
    stage_try(stage);
    rangemap_domain_read_end(stage->spare);
    rangemap_snapshot_end(&snapshot);
}

TEST_CASE(context, read_section)
{
    table_read(&table);
    CHECK_GT(check_column("in a section", in_section, COLUMN_SECTION), 50u);
    CHECK_GT(check_column("in a snapshot", in_snapshot, COLUMN_SECTION), 50u);
}

/* ---- signal handlers ---- */

static struct stage *of_handler;

static void on_signal(int number)
{
    (void)number;
    try_here(of_handler);
}

static void interrupt(struct stage *stage)
{
    struct sigaction action = {.sa_handler = on_signal}, before;

    of_handler = stage;
    REQUIRE_EQ(sigaction(SIGUSR1, &action, &before), 0);
    REQUIRE_EQ(raise(SIGUSR1), 0);
    REQUIRE_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}

/* Between what an update has read and its compare-and-swap. */
static void interrupt_update(struct stage *stage)
{
    stage->in = IN_SPLIT;
    stage->try = interrupt;
    CHECK_EQ(rangemap_carve(stage->trigger, 140, 149, NULL, NULL), 0);
}

static void interrupt_section(struct stage *stage)
{
    REQUIRE_EQ(rangemap_read_begin(stage->map), 0);
    interrupt(stage);
    rangemap_read_end(stage->map);
}

static void interrupt_callback(struct stage *stage)
{
    stage->in = IN_RELEASE;
    stage->try = interrupt;
    CHECK_EQ(rangemap_erase(stage->trigger, 150, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(stage->domain), 0);
}

static void interrupt_new_thread(struct stage *stage)
{
    stage->try = interrupt;
    crew_run(1, on_thread, stage);
    stage->try = NULL;
}

TEST_CASE(context, signal_handler)
{
    table_read(&table);
    CHECK_GT(check_column("in a handler", interrupt, COLUMN_SIGNAL), 20u);
    CHECK_GT(check_column("in a handler during an update", interrupt_update, COLUMN_SIGNAL), 20u);
    CHECK_GT(check_column("in a handler during a section", interrupt_section, COLUMN_SIGNAL), 20u);
    CHECK_GT(check_column("in a handler during a callback", interrupt_callback, COLUMN_SIGNAL), 20u);
}

TEST_CASE(context, signal_handler_of_any_thread)
{
    unsigned checked = 0;

    table_read(&table);
    for (unsigned i = 0; i < table.count; i++) {
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);

        if (call != NULL && strcmp(table.row[i][COLUMN_SIGNAL], "any") == 0) {
            check_in("in a handler of a new thread", interrupt_new_thread, false, call, 0);
            checked++;
        }
    }
    CHECK_GT(checked, 5u);
}

/* ---- callbacks ---- */

static void try_displaced(const struct rangemap_entry *entry, void *context)
{
    (void)entry;
    stage_try_once(context);
}

static void in_displaced(struct stage *stage)
{
    stage->try = try_here;
    CHECK_EQ(rangemap_store(stage->trigger, 140, 149, NULL, try_displaced, stage), 0);
}

static void in_retain(struct stage *stage)
{
    stage->in = IN_RETAIN;
    stage->try = try_here;
    CHECK_EQ(rangemap_carve(stage->trigger, 140, 149, NULL, NULL), 0);
}

static void in_release(struct stage *stage)
{
    stage->in = IN_RELEASE;
    stage->try = try_here;
    CHECK_EQ(rangemap_erase(stage->trigger, 150, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(stage->domain), 0);
}

/* In the release of a range that was there when its map was destroyed. */
static void in_destroy(struct stage *stage)
{
    stage->in = IN_RELEASE;
    stage->try = try_here;
    CHECK_EQ(rangemap_destroy(stage->trigger), 0);
    stage->trigger = NULL;
}

static void in_pressure(struct stage *stage)
{
    stage->in = IN_PRESSURE;
    stage->try = try_here;
    for (uint64_t i = 0; i < 10000 && stage->tries == 0; i++) {
        REQUIRE_EQ(rangemap_store(stage->trigger, i * 2, i * 2, NULL, NULL, NULL), 0);
    }
}

struct deferred_try {
    struct rangemap_deferred deferred; /* first */
    struct stage *stage;
};

static void try_deferred(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    stage_try_once(((struct deferred_try *)(void *)deferred)->stage);
}

static void in_deferred(struct stage *stage)
{
    struct rangemap_domain *domain = stage->call->needs == NEEDS_SPARE ? stage->spare : stage->domain;
    struct deferred_try deferred = {.stage = stage};

    stage->try = try_here;
    REQUIRE_EQ(rangemap_domain_defer(domain, &deferred.deferred, try_deferred, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
}

static void check_callback(const char *name, context_fn *context)
{
    unsigned checked = 0;

    table_read(&table);
    for (unsigned i = 0; i < table.count; i++) {
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);
        int expected = expectation(table.row[i][COLUMN_CALLBACK]);

        /* Only a deferred callback runs in a domain without maps. */
        if (call != NULL && expected != NOT_TO_BE_CALLED &&
            (call->needs != NEEDS_SPARE || context == in_deferred)) {
            check_in(name, context, context == in_pressure, call, expected);
            checked++;
        }
    }
    CHECK_GT(checked, 40u);
}

TEST_CASE(context, callback_displaced)
{
    check_callback("in displaced", in_displaced);
}

TEST_CASE(context, callback_retain)
{
    check_callback("in retain", in_retain);
}

TEST_CASE(context, callback_release)
{
    check_callback("in release", in_release);
    check_callback("in release by destroy", in_destroy);
}

TEST_CASE(context, callback_deferred)
{
    check_callback("in a deferred callback", in_deferred);
}

TEST_CASE(context, callback_pressure)
{
    check_callback("in pressure", in_pressure);
}

/* ---- the child of a fork ---- */

static void in_child(struct stage *stage)
{
    int status = 0, told[2];
    pid_t child;

    REQUIRE_EQ(pipe(told), 0);
    child = fork();
    REQUIRE_GE(child, 0);
    if (child == 0) {
        (void)alarm(HANG_SECONDS);
        try_here(stage);
        _exit(write(told[1], &stage->result, sizeof stage->result) == sizeof stage->result ? 0 : 1);
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0, "%s", stage->call->label);
    stage->tries = read(told[0], &stage->result, sizeof stage->result) == sizeof stage->result;
    (void)close(told[0]);
    (void)close(told[1]);
}

TEST_CASE(context, child)
{
    table_read(&table);
    CHECK_GT(check_column("in a child", in_child, COLUMN_CHILD), 50u);
}

/* ---- waiting ---- */

struct reader {
    struct stage *stage;
    sem_t is_reading, may_leave;
    unsigned milliseconds; /* how long it stays, then; 0: until it may leave */
    atomic_bool has_left;
};

static void read_for_long(unsigned index, void *context)
{
    struct reader *reader = context;

    (void)index;
    REQUIRE_EQ(rangemap_domain_read_begin(reader->stage->domain), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(reader->stage->spare), 0);
    sem_post(&reader->is_reading);
    if (reader->milliseconds > 0) {
        sleep_milliseconds(reader->milliseconds);
    } else {
        sem_wait(&reader->may_leave);
    }
    reader->has_left = true;
    rangemap_domain_read_end(reader->stage->spare);
    rangemap_domain_read_end(reader->stage->domain);
}

static void have_run(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    deferred->opaque[0] = NULL;
}

/* Tries the call while another thread is in a section and has something wait for it. Whether that had left. */
static bool returns_after_reader(struct stage *stage, bool waits)
{
    struct reader reader = {.stage = stage, .milliseconds = waits ? 20 : 0};
    struct rangemap_deferred first, second;
    struct crew crew;
    bool has_left;

    sem_init(&reader.is_reading, 0, 0);
    sem_init(&reader.may_leave, 0, 0);
    crew_start(&crew, 1, read_for_long, &reader);
    sem_wait(&reader.is_reading);
    REQUIRE_EQ(rangemap_domain_defer(stage->domain, &first, have_run, NULL), 0);
    REQUIRE_EQ(rangemap_domain_defer(stage->spare, &second, have_run, NULL), 0);
    try_here(stage);
    has_left = reader.has_left;
    sem_post(&reader.may_leave);
    crew_join(&crew);
    CHECK_EQ(rangemap_domain_barrier(stage->domain), 0);
    if (stage->spare != NULL) {
        CHECK_EQ(rangemap_domain_barrier(stage->spare), 0);
    }
    return has_left;
}

static const char *now_waiting;

static void give_up(int number)
{
    (void)number;
    (void)!write(STDERR_FILENO, now_waiting, strlen(now_waiting));
    (void)!write(STDERR_FILENO, " waits for a reader\n", 20);
    _exit(1);
}

TEST_CASE(context, waits)
{
    table_read(&table);
    REQUIRE_NE(signal(SIGALRM, give_up), SIG_ERR);
    for (unsigned i = 0; i < table.count; i++) {
        const char *cell = table.row[i][COLUMN_WAITS];
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);
        bool waits = strncmp(cell, "for readers", 11) == 0;
        struct stage stage;

        CHECK(waits || strcmp(cell, "no") == 0 || strcmp(cell, "for the stream's lock") == 0 ||
                  strcmp(cell, "for work") == 0,
              "what is '%s'?", cell);
        REQUIRE_NE(call, NULL);
        /* While another thread exists. */
        if (strcmp(call->label, "rangemap_after_fork_in_child()") == 0) {
            continue;
        }
        stage_init(&stage, call, (struct stage_options){.tracks_gaps = false});
        now_waiting = call->label;
        (void)alarm(HANG_SECONDS);
        CHECK_EQ(returns_after_reader(&stage, waits), waits, "%s", call->label);
        (void)alarm(0);
        CHECK_EQ(stage.result, comes_too_early_or_late(call) ? -EBUSY : 0, "%s", call->label);
        stage_free(&stage);
    }
    (void)signal(SIGALRM, SIG_DFL);
}

/* ---- memory ---- */

/* `record`, and `no` all the more: an attached thread asks for nothing. And nothing ever calls malloc. */
TEST_CASE(context, allocates)
{
    table_read(&table);
    for (unsigned i = 0; i < table.count; i++) {
        const char *cell = table.row[i][COLUMN_ALLOCATES];
        const struct call *call = call_named(table.row[i][COLUMN_FUNCTION]);
        bool nothing = strcmp(cell, "no") == 0 || strncmp(cell, "record", 6) == 0;
        struct stage stage;

        CHECK(nothing || strcmp(cell, "nodes") == 0 || strcmp(cell, "a page or more") == 0, "what is '%s'?",
              cell);
        REQUIRE_NE(call, NULL);
        stage_init(&stage, call, (struct stage_options){.tracks_gaps = false});
        atomic_store(&stage.chunks.fail_all, nothing);
        try_here(&stage);
        CHECK_EQ(stage.allocations, 0u, "%s", call->label);
        CHECK(!nothing || stage.requests == 0, "%s", call->label);
        CHECK_EQ(stage.result, comes_too_early_or_late(call) ? -EBUSY : 0, "%s", call->label);
        stage_free(&stage);
    }
}

/* That the counts above count. */
TEST_CASE(context, allocations_are_counted)
{
    unsigned before = stage_allocations();
    void *volatile block = malloc(1);

    free(block);
    CHECK_EQ(stage_allocations(), before + 1);
}
