// SPDX-License-Identifier: BSD-2-Clause
/* Looks at references beside their exits: a look sees them as they were, or as exit left them. */
#include <pthread.h>

#include "pagemap/pagemap.h"
#include "pagemap/percpu_ref.h"
#include "test/shim/ctest.h"

enum { REFS = 20000 };

static struct percpu_ref refs[REFS];
static unsigned now, zeros, others;

/* The one that is about to be exited, until there is none. */
static void *look(void *unused)
{
    unsigned i;

    (void)unused;
    while ((i = __atomic_load_n(&now, __ATOMIC_ACQUIRE)) < REFS) {
        zeros += percpu_ref_is_zero(&refs[i]);
        others += percpu_ref_count(&refs[i]) != 2;
    }
    return NULL;
}

static void exit_beside_looks(unsigned flags)
{
    pthread_t thread;

    now = zeros = others = 0;
    for (unsigned i = 0; i < REFS; i++) {
        REQUIRE_EQ(percpu_ref_init(&refs[i], NULL, flags), 0);
        percpu_ref_get(&refs[i]); /* in percpu mode, not where the first one is */
    }
    REQUIRE_EQ(pthread_create(&thread, NULL, look, NULL), 0);
    for (unsigned i = 0; i < REFS; i++) {
        percpu_ref_exit(&refs[i]);
        __atomic_store_n(&now, i + 1, __ATOMIC_RELEASE);
    }
    (void)pthread_join(thread, NULL);
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK_EQ(zeros, 0u);
    CHECK_EQ(others, 0u);
}

/* Whatever the mode, and wherever it was counted. */
TEST_CASE(percpu_exit, keeps_the_count)
{
    for (unsigned flags = 0; flags <= PERCPU_REF_INIT_ATOMIC; flags += PERCPU_REF_INIT_ATOMIC) {
        struct percpu_ref ref = {0};

        REQUIRE_EQ(percpu_ref_init(&ref, NULL, flags), 0);
        percpu_ref_get_many(&ref, 2);
        percpu_ref_exit(&ref);
        CHECK_EQ(percpu_ref_count(&ref), 3u, "flags %u", flags);
        CHECK(!percpu_ref_is_zero(&ref));
        REQUIRE_EQ(percpu_ref_init(&ref, NULL, flags), 0);
        percpu_ref_put(&ref);
        percpu_ref_exit(&ref);
        CHECK_EQ(percpu_ref_count(&ref), 0u, "flags %u", flags);
        CHECK(percpu_ref_is_zero(&ref));
    }
    CHECK_EQ(pagemap_barrier(), 0);
}

TEST_CASE(percpu_exit, beside_looks)
{
    exit_beside_looks(PERCPU_REF_INIT_ATOMIC);
    exit_beside_looks(0);
}
