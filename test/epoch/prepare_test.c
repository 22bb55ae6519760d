// SPDX-License-Identifier: BSD-2-Clause
/*
 * The handler of forks, which libc may have no memory for when the library is loaded: each attach asks again until it
 * has, and is refused before. pthread_atfork() is ours here.
 */
#include <errno.h>
#include <pthread.h>

#include "rangemap/epoch/fork.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

static unsigned asked;
static int answer = ENOMEM;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    asked++;
    CHECK(prepare == NULL && parent == NULL && child == rm_fork_child);
    return answer;
}

TEST_CASE(prepare, no_thread_attaches_without_a_handler_of_forks)
{
    struct rangemap_domain *domain;

    CHECK_EQ(asked, 1u, "when the library was loaded");
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    for (unsigned i = 2; i < 5; i++) {
        CHECK_EQ(rangemap_domain_attach(domain), -ENOMEM);
        CHECK_EQ(asked, i);
    }
    answer = 0;
    CHECK_EQ(rangemap_domain_attach(domain), 0);
    CHECK_EQ(asked, 5u);
    CHECK_EQ(rangemap_domain_detach(domain), 0);
    CHECK_EQ(rangemap_domain_attach(domain), 0);
    CHECK_EQ(asked, 5u, "once it has one");
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
