// SPDX-License-Identifier: BSD-2-Clause
/* What must pass. failing.c holds what must fail. */
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/shim/ctest.h"
#include "test/shim/prng.h"

TEST_CASE(ctest, integers_compare_by_value)
{
    CHECK_EQ((unsigned char)7, 7LL);
    CHECK_EQ(true, 1);
    CHECK_NE(-1, UINT64_MAX, "same bits, other value");
    CHECK_LT(-1, 0u);
    CHECK_LT(INT64_MIN, -1);
    CHECK_GT(UINT64_MAX, INT64_MAX);
    CHECK_LE((size_t)3, 3);
    CHECK_GE(SCHAR_MIN, -128);
}

TEST_CASE(ctest, pointers_and_strings)
{
    const volatile int number = 0;
    char same[] = "same";

    CHECK_EQ(&number, &number);
    CHECK_NE(&number, NULL);
    CHECK_STR_EQ(same, "same");
    CHECK_STR_EQ(NULL, NULL);
}

TEST_CASE(ctest, operands_are_evaluated_once)
{
    int count = 0;

    CHECK_EQ(++count, 1);
    CHECK(++count == 2, "count is %d", count);
    REQUIRE_LT(++count, 4);
    CHECK_EQ(count, 3);
}

TEST_CASE(ctest, is_skipped)
{
    TEST_SKIP("to show that the rest of a skipped test, %s", "a failing check, does not run");
    CHECK(false);
}

static void *check_often(void *unused)
{
    for (int i = 0; i < 1000; i++)
        CHECK_LE(i, 1000);
    return unused;
}

TEST_CASE(ctest, checks_in_threads)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&threads[i], NULL, check_often, NULL), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void *require(void *condition)
{
    REQUIRE(condition != NULL, "this is to be seen: in a child, by a test of tests");
    return NULL;
}

static int status_of_child(void (*body)(void))
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        body();
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static void holds(void)
{
    int something = 0;

    (void)require(&something);
}

static void fails(void)
{
    (void)require(NULL);
}

static void fails_in_a_thread(void)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, require, NULL), 0);
    (void)pthread_join(thread, NULL);
}

/* A child must neither run the rest of the tests nor end as if nothing was wrong. */
TEST_CASE(ctest, requirements_in_children)
{
    CHECK_EQ(status_of_child(holds), 0);
    CHECK_EQ(status_of_child(fails), 1 << 8);
#if !defined(__SANITIZE_THREAD__) /* which starts no threads in the child of a process that had some */
    CHECK_EQ(status_of_child(fails_in_a_thread), 1 << 8);
#endif
}

/* The values of the reference implementation. */
TEST_CASE(prng, is_splitmix64)
{
    struct prng prng = {1234567};

    CHECK_EQ(prng_next(&prng), UINT64_C(6457827717110365317));
    CHECK_EQ(prng_next(&prng), UINT64_C(3203168211198807973));
}

TEST_CASE(prng, stays_within_bounds)
{
    struct prng prng = prng_stream(test_seed(), 0);
    unsigned seen = 0;

    for (unsigned i = 0; i < 1000 * test_scale(); i++) {
        CHECK_LT(prng_below(&prng, 3), 3);
        seen |= 1u << (prng_between(&prng, UINT64_MAX - 3, UINT64_MAX) & 3);
    }
    CHECK_EQ(seen, 15, "each of four numbers came up");
    prng_between(&prng, 0, UINT64_MAX);
}
