// SPDX-License-Identifier: BSD-2-Clause
/*
 * A system that has no memory for a handler of forks when the library is loaded: clients of invalidations are refused
 * until there is some, and a child has none of its parent's then.
 */
#include <errno.h>

#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/recorder.h"
#include "test/pagemap/warnings.h"

enum { FIRST = 0x20000, END = 0x30000 };

static bool refuses = true; /* from the first constructor on */
static unsigned refused, handlers;

/* glibc's own, which pthread_atfork() is made of. */
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso);

int atfork_here(void (*prepare)(void), void (*parent)(void), void (*child)(void)) __asm__("pthread_atfork");

int atfork_here(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    if (child == NULL) { /* locks.c, which all tests have */
        return __register_atfork(prepare, parent, child, NULL);
    }
    if (refuses) {
        refused++;
        return ENOMEM;
    }
    handlers++;
    return __register_atfork(prepare, parent, child, NULL);
}

static struct recorder recorder;

static int insert(void)
{
    recorder = (struct recorder){.then = NULL};
    return mmu_interval_notifier_insert(&recorder.subscription, NULL, FIRST, END - FIRST, &recorder_ops);
}

static void invalidate(void)
{
    struct mmu_notifier_range range;

    mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, NULL, FIRST, END);
    mmu_notifier_invalidate_range_start(&range);
    mmu_notifier_invalidate_range_end(&range);
}

/* In a child: none of the parent's, and one of its own. */
static void in_a_child(void)
{
    unsigned before = recorder.begun;
    struct recorder own;

    invalidate();
    CHECK_EQ(recorder.begun, before);
    recorder_watch(&own, false, FIRST, END - FIRST);
    invalidate();
    CHECK_EQ(own.begun, 1u);
    recorder_leave(&own);
    CHECK_EQ(recorder.begun, before);
}

TEST_CASE(atfork, clients_are_refused_until_children_can_be_kept_from_them)
{
    unsigned before = refused;

    CHECK_GE(before, 1u, "when the library was loaded");
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_EQ(insert(), -ENOMEM);
        CHECK_EQ(refused, before + i, "each time it is tried anew");
    }
    refuses = false;
    (void)pm_fault_arm(1);
    CHECK_EQ(insert(), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0u);
    CHECK_EQ(handlers, 0u);
    CHECK_EQ(insert(), 0);
    CHECK_EQ(handlers, 1u);
    invalidate();
    CHECK_EQ(recorder.begun, 1u);
    child_run(in_a_child);
    CHECK_EQ(mmu_interval_notifier_remove(&recorder.subscription), 0);
    CHECK_EQ(insert(), 0);
    CHECK_EQ(handlers, 1u, "once for all");
    CHECK_EQ(mmu_interval_notifier_remove(&recorder.subscription), 0);
}
