// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library makes of each answer of its domain: short memory is waited out where nobody can be told of it, and
 * told where somebody can; anything else is handed on. The domain's calls come by here (BUILD), and answer as the test
 * has them.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "pagemap/core/domain.h"
#include "pagemap/page/mapped.h"
#include "pagemap/percpu_ref/restart.h"
#include "pagemap/statistics.h"
#include "test/pagemap/child.h"
#include "test/pagemap/rig.h"

/* How often a call fails from now on, and with what; -1: always. How often each was made. */
static struct script {
    int times, error;
    unsigned calls;
} create, synchronize, defer, barrier, begin, index_begin;

static bool watches;

__typeof__(rangemap_domain_create) real_create __asm__("__real_rangemap_domain_create");
__typeof__(rangemap_domain_synchronize) real_synchronize __asm__("__real_rangemap_domain_synchronize");
__typeof__(rangemap_domain_defer) real_defer __asm__("__real_rangemap_domain_defer");
__typeof__(rangemap_domain_barrier) real_barrier __asm__("__real_rangemap_domain_barrier");
__typeof__(rangemap_domain_read_begin) real_begin __asm__("__real_rangemap_domain_read_begin");
__typeof__(rangemap_read_begin) real_index_begin __asm__("__real_rangemap_read_begin");

__typeof__(rangemap_domain_create) wrapped_create __asm__("__wrap_rangemap_domain_create");
__typeof__(rangemap_domain_synchronize) wrapped_synchronize __asm__("__wrap_rangemap_domain_synchronize");
__typeof__(rangemap_domain_defer) wrapped_defer __asm__("__wrap_rangemap_domain_defer");
__typeof__(rangemap_domain_barrier) wrapped_barrier __asm__("__wrap_rangemap_domain_barrier");
__typeof__(rangemap_domain_read_begin) wrapped_begin __asm__("__wrap_rangemap_domain_read_begin");
__typeof__(rangemap_read_begin) wrapped_index_begin __asm__("__wrap_rangemap_read_begin");

/* 0: it is to be made. */
static int answer(struct script *script)
{
    script->calls++;
    if (script->times == 0) {
        return 0;
    }
    script->times -= script->times > 0;
    return script->error;
}

/* Of a call that may wait. */
static void check_cancel_state(int expected)
{
    int before;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    CHECK_EQ(before, expected);
    (void)pthread_setcancelstate(before, &expected);
}

static int answer_uncancelled(struct script *script)
{
    if (watches) {
        check_cancel_state(PTHREAD_CANCEL_DISABLE);
    }
    return answer(script);
}

int wrapped_create(const struct rangemap_domain_options *options, struct rangemap_domain **made)
{
    int error = answer(&create);

    return error != 0 ? error : real_create(options, made);
}

int wrapped_synchronize(struct rangemap_domain *domain)
{
    int error = answer_uncancelled(&synchronize);

    return error != 0 ? error : real_synchronize(domain);
}

int wrapped_defer(struct rangemap_domain *domain, struct rangemap_deferred *deferred,
                  rangemap_deferred_fn *run, void *context)
{
    int error = answer_uncancelled(&defer);

    return error != 0 ? error : real_defer(domain, deferred, run, context);
}

int wrapped_barrier(struct rangemap_domain *domain)
{
    int error = answer_uncancelled(&barrier);

    return error != 0 ? error : real_barrier(domain);
}

int wrapped_begin(struct rangemap_domain *domain)
{
    int error = answer(&begin);

    return error != 0 ? error : real_begin(domain);
}

int wrapped_index_begin(const struct rangemap *map)
{
    int error = answer(&index_begin);

    return error != 0 ? error : real_index_begin(map);
}

/* ---- the domain itself ---- */

static struct rangemap_deferred deferred;
static unsigned ran;

static void note_run(struct rangemap_deferred *which, void *context)
{
    CHECK_EQ(which, &deferred);
    CHECK_EQ(context, NULL);
    ran++;
}

static int defer_and_wait(void)
{
    ran = 0;
    pm_defer(&deferred, note_run);
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK_EQ(ran, 1u);
    return 0;
}

static int (*first_call)(void);

/* The first to need it gets it, however often there is no memory. */
static void comes_at_last(void)
{
    create = (struct script){3, -ENOMEM, 0};
    CHECK_EQ(first_call(), 0);
    CHECK_EQ(create.calls, 4u);
    CHECK_EQ(first_call(), 0);
    CHECK_EQ(create.calls, 4u, "and once for all");
}

TEST_CASE(domain, comes_at_last)
{
    static int (*const calls[])(void) = {pagemap_synchronize, pagemap_barrier, defer_and_wait};

    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        first_call = calls[i];
        child_run(comes_at_last);
    }
}

/* Who can be told that there is none is told, and nothing is left behind. */
static void is_not_to_be_had(void)
{
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_cursor cursor;
    struct pagemap_entry entry;
    struct percpu_ref ref;

    create = (struct script){-1, -ENOMEM, 0};
    CHECK_EQ(pm_domain(), NULL);
    CHECK_EQ(pagemap_read_lock(), -ENOMEM);
    CHECK(!pagemap_read_lock_held());
    CHECK_EQ(percpu_ref_init(&ref, NULL, 0), -ENOMEM);
    CHECK_EQ(pm_index_create(), -ENOMEM);
    CHECK_EQ(rig_map(&pgmap), -ENOMEM);
    CHECK_EQ(pm_index, NULL);
    CHECK_EQ(get_dev_pagemap(5, NULL), NULL);
    CHECK_EQ(pm_hold(5), NULL);
    CHECK_EQ(pm_find(5), NULL);
    pagemap_cursor_init(&cursor, 0, UINT64_MAX);
    CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), -ENOENT);
    create.times = 0;
    CHECK_EQ(pm_index_create(), 0);
    CHECK_NE(pm_index, NULL);
    CHECK_EQ(pm_index_create(), 0, "and is there");
    CHECK_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
}

TEST_CASE(domain, is_not_to_be_had)
{
    child_run(is_not_to_be_had);
}

/* Without a section there is no telling whether membarrier(2) is used: it is done without. */
static void without_a_section(void)
{
    struct percpu_ref ref;

    begin = (struct script){1, -ENOMEM, 0};
    CHECK_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    CHECK_LE(begin.calls, 1u, "where there are no restartable sequences it is not asked");
    begin.times = 0;
    CHECK(!pm_restart_is_used);
    percpu_ref_get_many(&ref, 5);
    CHECK_EQ(percpu_ref_count(&ref), 6);
    percpu_ref_put_many(&ref, 5);
    percpu_ref_kill(&ref);
    CHECK(percpu_ref_is_zero(&ref));
    percpu_ref_exit(&ref);
}

TEST_CASE(domain, counts_are_had_without_a_section)
{
    child_run(without_a_section);
}

/* ---- waiting ---- */

/* What comes of a call whose first answers are those. */
static void check_wait(struct script *script, int (*call)(void), int error, uint64_t warnings)
{
    const unsigned times = script->error == -ENOMEM ? 3 : 1;
    int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE}, before;

    for (unsigned i = 0; i < 2; i++) {
        script->times = (int)times;
        script->calls = 0;
        (void)pthread_setcancelstate(states[i], &before);
        watches = true;
        CHECK_EQ(call(), error);
        watches = false;
        check_cancel_state(states[i]);
        (void)pthread_setcancelstate(before, &before);
        CHECK_EQ(script->calls, times + (script->error == -ENOMEM), "error %d", script->error);
        CHECK_EQ(warnings_take(), warnings, "error %d", script->error);
        script->times = 0;
    }
}

TEST_CASE(domain, each_answer_to_who_waits)
{
    static const int errors[] = {-ENOMEM, -EDEADLK, -EPERM, -EINVAL};

    warnings_count();
    REQUIRE_EQ(pagemap_barrier(), 0);
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
        const int told = errors[i] == -ENOMEM ? 0 : errors[i];

        synchronize.error = barrier.error = errors[i];
        check_wait(&synchronize, pagemap_synchronize, told, errors[i] == -EDEADLK);
        check_wait(&barrier, pagemap_barrier, told, errors[i] == -EDEADLK);
    }
    defer.error = -ENOMEM;
    check_wait(&defer, defer_and_wait, 0, 0);
}

/* ---- sections ---- */

TEST_CASE(domain, each_answer_to_who_reads)
{
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct pagemap_cursor cursor;
    struct pagemap_entry entry;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    begin = (struct script){1, -ENOMEM, 0};
    CHECK_EQ(pagemap_read_lock(), -ENOMEM);
    CHECK(!pagemap_read_lock_held());
    pagemap_cursor_init(&cursor, 0, UINT64_MAX);
    begin.times = 1;
    CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), -ENOMEM);
    CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), 0, "nothing was passed over");
    CHECK_EQ(entry.pgmap, &pgmap);
    for (unsigned depth = 0; depth < 3; depth++) {
        CHECK_EQ(pagemap_read_lock_held(), depth > 0);
        CHECK_EQ(pagemap_read_lock(), 0);
    }
    for (unsigned depth = 3; depth > 0; depth--) {
        CHECK(pagemap_read_lock_held());
        pagemap_read_unlock();
    }
    CHECK(!pagemap_read_lock_held());
    CHECK_EQ(warnings_take(), 0);
    pagemap_read_unlock();
    CHECK_EQ(warnings_take(), 1, "there is no section to end");
    CHECK(!pagemap_read_lock_held());
    CHECK_EQ(pagemap_synchronize(), 0, "nor is one left");
    index_begin = (struct script){2, -ENOMEM, 0};
    CHECK_EQ(get_dev_pagemap(5, NULL), NULL);
    CHECK_EQ(pm_hold(5), NULL);
    CHECK_EQ(pm_hold(5), &pgmap);
    put_dev_pagemap(&pgmap);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* A page that fails, and cannot be looked for in its file: as one that is in none. */
TEST_CASE(domain, a_page_fails_without_a_section)
{
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct address_space file;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 0, 4), 0);
    begin = (struct script){-1, -ENOMEM, 0};
    CHECK_EQ(memory_failure(2, 0), -EBUSY);
    CHECK_GE(begin.calls, 1u);
    begin.times = 0;
    CHECK(!PageHWPoison(pfn_to_page(2)));
    CHECK_EQ(pgmap_nr_references(&pgmap), 4);
    CHECK_EQ(memory_failure(2, 0), 0);
    CHECK(PageHWPoison(pfn_to_page(2)));
    CHECK_EQ(unpoison_memory(2), 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}
