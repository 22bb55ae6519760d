// SPDX-License-Identifier: BSD-2-Clause
/* Tests that fail. failing_test.sh expects a failure reported at each line that says so, and at no other. */
#include <pthread.h>
#include <stddef.h>

#include "test/shim/ctest.h"

TEST_CASE(failing, check_goes_on)
{
    CHECK_EQ(2 + 2, -5, "with %s", "a note"); /* fails */
    CHECK(false);                             /* fails */
    CHECK_STR_EQ("left", NULL);               /* fails */
}

static void never_returns(void)
{
    REQUIRE_NE(NULL, NULL); /* fails */
}

TEST_CASE(failing, require_leaves)
{
    never_returns();
    CHECK(false, "not reached");
}

static void *require_in_thread(void *reached)
{
    REQUIRE_LT(1, 1); /* fails */
    *(bool *)reached = true;
    return NULL;
}

TEST_CASE(failing, require_ends_thread)
{
    bool reached = false;
    pthread_t thread;

    REQUIRE_EQ(pthread_create(&thread, NULL, require_in_thread, &reached), 0);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    CHECK(!reached);
}

TEST_CASE(passing, follows_failures)
{
    CHECK(true);
}
