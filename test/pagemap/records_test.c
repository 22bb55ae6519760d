// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread for whose record there is no memory is told so, or finds nothing, and nothing is counted that it does not
 * have; nor is anything that the system refuses to end. In children, whose address space or calls are limited.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <semaphore.h>

#include "pagemap/holders/report.h"
#include "pagemap/percpu_ref/restart.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

/* As many threads as the first slab of records has room for, so that the next one needs another slab. */
enum { RECORDS = 32, PAGES = 8 };

static struct file_rig rig;
static struct percpu_ref counted_by_cpu, counted_at_once;
static char *view;
static sem_t attached, leave;

static void set_up(void)
{
    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    REQUIRE_EQ(percpu_ref_init(&counted_by_cpu, NULL, 0), 0);
    REQUIRE_EQ(percpu_ref_init(&counted_at_once, NULL, PERCPU_REF_INIT_ATOMIC), 0);
}

static void *attach(void *first)
{
    if (first != NULL) {
        set_up();
    }
    CHECK_EQ(pagemap_read_lock(), 0);
    pagemap_read_unlock();
    (void)sem_post(&attached);
    (void)sem_wait(&leave);
    return NULL;
}

static void tell(const struct pagemap_holder *holder, void *context)
{
    (void)holder, (void)context;
    CHECK(false, "it has none that it may look at");
}

static void check_without(void)
{
    CHECK_EQ(pagemap_read_lock(), -ENOMEM);
    CHECK(!pagemap_read_lock_held());
    CHECK(!percpu_ref_tryget_live(&counted_at_once));
    CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_AUTO);
    CHECK_NE(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_report_holders(0, PHYSMEM_END, tell, NULL), -ENOMEM);
    CHECK_EQ(pm_report_pagemap(&rig.pgmap, tell, NULL), -ENOMEM);
    CHECK(rig_finds(3, NULL));
}

static void check_with(void)
{
    CHECK_EQ(percpu_ref_count(&counted_at_once), 1);
    CHECK(percpu_ref_tryget_live(&counted_at_once));
    CHECK_EQ(percpu_ref_count(&counted_at_once), 2);
    CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_OVERLAY);
    CHECK(rig_finds(3, &rig.pgmap));
    CHECK_EQ(touch_read(view, NULL), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

static void no_record_left(void)
{
    pthread_t threads[RECORDS];
    struct rlimit before;

    (void)sem_init(&attached, 0, 0);
    (void)sem_init(&leave, 0, 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        REQUIRE_EQ(pthread_create(&threads[i], NULL, attach, i == 0 ? &rig : NULL), 0);
        (void)sem_wait(&attached);
    }
    REQUIRE_EQ(getrlimit(RLIMIT_AS, &before), 0);
    limit(RLIMIT_AS, PAGE_SIZE);
    check_without();
    REQUIRE_EQ(setrlimit(RLIMIT_AS, &before), 0);
    check_with();
    for (unsigned i = 0; i < RECORDS; i++) {
        (void)sem_post(&leave);
    }
    for (unsigned i = 0; i < RECORDS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* ---- a kill that the system refuses ---- */

static unsigned confirmed;

static void note_confirm(struct percpu_ref *ref)
{
    (void)ref;
    confirmed++;
}

/* Neither a kill nor a switch has happened, or both have: no count is lost, and nothing is confirmed that is not so. */
static void no_membarrier(void)
{
    struct percpu_ref ref;
    bool refused;

    warnings_count();
    REQUIRE_EQ(percpu_ref_init(&ref, NULL, PERCPU_REF_ALLOW_REINIT), 0);
    percpu_ref_get_many(&ref, 5);
    refuse(SYS_membarrier, EPERM);
    refused = pm_restart_is_used;
    percpu_ref_switch_to_atomic(&ref, note_confirm);
    REQUIRE_EQ(pagemap_barrier(), 0);
    CHECK_EQ(confirmed, !refused);
    CHECK_EQ(percpu_ref_count(&ref), 6);
    percpu_ref_switch_to_percpu(&ref);
    percpu_ref_kill_and_confirm(&ref, note_confirm);
    REQUIRE_EQ(pagemap_barrier(), 0);
    CHECK_EQ(confirmed, refused ? 0 : 2);
    CHECK_EQ(percpu_ref_is_dying(&ref), !refused);
    CHECK_EQ(percpu_ref_count(&ref), refused ? 6 : 5);
    CHECK_EQ(percpu_ref_tryget_live(&ref), refused);
    CHECK_EQ(warnings_take(), refused ? 2 : 0);
}

TEST_CASE(records, a_kill_without_membarrier)
{
    if (syscall(SYS_membarrier, 0, 0, 0) <= 0) {
        TEST_SKIP("there is no membarrier(2) to forbid");
    }
    child_run(no_membarrier);
}

TEST_CASE(records, a_thread_that_gets_none)
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer needs address space itself");
    }
    child_run(no_record_left);
}
