// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reference that is exited as soon as a switch is over: as another thread might, at each moment at which the lock of
 * switches is free. The library's pthread_mutex_unlock() is ours.
 */
#include <pthread.h>

#include "pagemap/pagemap.h"
#include "pagemap/percpu_ref.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"

static struct percpu_ref ref;
static bool is_confirmed, is_exited;
static unsigned released;

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

/* Behind the confirmation: from then on nothing is in flight, as soon as the lock is free. */
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int result = __real_pthread_mutex_unlock(mutex);

    if (is_confirmed && !is_exited) {
        is_exited = true;
        percpu_ref_exit(&ref);
    }
    return result;
}

static void confirm(struct percpu_ref *confirmed)
{
    (void)confirmed;
    is_confirmed = true;
}

static void release(struct percpu_ref *last)
{
    (void)last;
    released++;
}

static void exit_after_switch(bool kills)
{
    warnings_count();
    is_confirmed = is_exited = false;
    released = 0;
    REQUIRE_EQ(percpu_ref_init(&ref, release, 0), 0);
    percpu_ref_get(&ref);
    if (kills) {
        percpu_ref_kill_and_confirm(&ref, confirm);
    } else {
        percpu_ref_switch_to_atomic(&ref, confirm);
    }
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK(is_exited);
    CHECK_EQ(percpu_ref_count(&ref), kills ? 1u : 2u, "what the switch held is put");
    CHECK_EQ(released, 0u);
    CHECK_EQ(warnings_take(), 0u);
    CHECK_EQ(pagemap_barrier(), 0);
}

TEST_CASE(percpu_confirm, exited_as_soon_as_it_is_over)
{
    exit_after_switch(true);
    exit_after_switch(false);
}

/* The last reference is that of the switch: it is released, once. */
TEST_CASE(percpu_confirm, holds_the_last_one)
{
    warnings_count();
    is_confirmed = false;
    is_exited = true; /* not by us */
    released = 0;
    REQUIRE_EQ(percpu_ref_init(&ref, release, 0), 0);
    percpu_ref_kill_and_confirm(&ref, confirm);
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK(is_confirmed);
    CHECK_EQ(released, 1u);
    CHECK(percpu_ref_is_zero(&ref));
    percpu_ref_exit(&ref);
    CHECK_EQ(warnings_take(), 0u);
    CHECK_EQ(pagemap_barrier(), 0);
}
