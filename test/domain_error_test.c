// SPDX-License-Identifier: BSD-2-Clause
/* Every error of the domains' functions: what is refused inside a section, in a callback, or while in use. */
#include <errno.h>
#include <string.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

static struct rangemap_domain *new_domain(void)
{
    struct rangemap_domain *domain = NULL;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    return domain;
}

static struct rangemap *new_map(struct rangemap_domain *domain, rangemap_value_fn *release, void *context)
{
    struct rangemap_options options = {.domain = domain, .release = release, .context = context};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

TEST_CASE(domain_error, arguments)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap_deferred deferred;

    CHECK_EQ(rangemap_domain_create(NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_destroy(NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_defer(domain, &deferred, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_defer(domain, NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_blocker(domain, NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_stats(domain, NULL), -EINVAL);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* A NULL domain is the default one, which every function but destroy takes. */
TEST_CASE(domain_error, null_is_the_default_domain)
{
    struct rangemap *map = new_map(NULL, NULL, NULL);
    struct rangemap_domain_statistics statistics = {.maps = 0};
    struct rangemap_blocker blocker = {.tid = -1};

    CHECK_NE(rangemap_domain_of(map), NULL);
    CHECK_EQ(rangemap_domain_destroy(rangemap_domain_of(map)), -EINVAL);
    CHECK_EQ(rangemap_domain_attach(NULL), 0);
    CHECK_EQ(rangemap_domain_attach(NULL), 0);
    CHECK_EQ(rangemap_domain_read_begin(NULL), 0);
    rangemap_domain_read_end(NULL);
    CHECK_GE(rangemap_domain_poll(NULL), 0);
    CHECK_EQ(rangemap_domain_synchronize(NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(NULL), 0);
    CHECK_EQ(rangemap_domain_blocker(NULL, &blocker), 0);
    CHECK_EQ(blocker.tid, 0);
    CHECK_EQ(rangemap_domain_stats(NULL, &statistics), 0);
    CHECK_GE(statistics.maps, 1u);
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(domain_error, destroy_with_a_map)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain, NULL, NULL);

    CHECK_EQ(rangemap_domain_of(map), domain);
    CHECK_EQ(rangemap_insert(map, 1, 2, NULL, NULL), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), -EBUSY);
    CHECK_EQ(rangemap_lookup(map, 1, NULL), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

static void ignore(void *value, void *context)
{
    (void)value;
    (void)context;
}

/* Everything that would wait for itself. */
static void refused(struct rangemap_domain *domain, struct rangemap *map)
{
    CHECK_EQ(rangemap_domain_synchronize(domain), -EDEADLK);
    CHECK_EQ(rangemap_domain_barrier(domain), -EDEADLK);
    CHECK_NE(rangemap_domain_destroy(domain), 0);
    CHECK_EQ(rangemap_destroy(map), -EDEADLK);
    CHECK_EQ(rangemap_lookup(map, 1, NULL), 0);
}

TEST_CASE(domain_error, inside_a_section)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain, ignore, NULL);
    struct rangemap_snapshot snapshot;

    REQUIRE_EQ(rangemap_insert(map, 1, 2, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(domain), 0);
    refused(domain, map);
    CHECK_EQ(rangemap_domain_detach(domain), -EBUSY);
    rangemap_domain_read_end(domain);
    CHECK_EQ(rangemap_domain_synchronize(domain), -EDEADLK, "the outer section is still open");
    CHECK_EQ(rangemap_domain_detach(domain), -EBUSY);
    rangemap_read_end(map);
    CHECK_EQ(rangemap_domain_synchronize(domain), 0);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    refused(domain, map);
    CHECK_EQ(rangemap_domain_detach(domain), -EBUSY);
    rangemap_snapshot_end(&snapshot);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_detach(domain), 0);
    CHECK_EQ(rangemap_domain_detach(domain), 0, "detaching twice is harmless");
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(domain_error, destroy_inside_a_section)
{
    struct rangemap_domain *domain = new_domain();

    REQUIRE_EQ(rangemap_domain_read_begin(domain), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), -EDEADLK);
    rangemap_domain_read_end(domain);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* Another domain's section is none of this one's business. */
TEST_CASE(domain_error, inside_a_section_of_another_domain)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap_domain *other = new_domain();

    REQUIRE_EQ(rangemap_domain_read_begin(other), 0);
    CHECK_EQ(rangemap_domain_synchronize(domain), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(rangemap_domain_detach(domain), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    rangemap_domain_read_end(other);
    CHECK_EQ(rangemap_domain_destroy(other), 0);
}

struct callback_test {
    struct rangemap_domain *domain;
    struct rangemap *map;
    unsigned runs;
    struct rangemap_deferred deferred;
};

static void try_in_release(void *value, void *context)
{
    struct callback_test *test = context;

    (void)value;
    if (test->runs++ == 0) {
        CHECK_EQ(rangemap_domain_barrier(test->domain), -EDEADLK);
        CHECK_EQ(rangemap_destroy(test->map), -EDEADLK);
        CHECK_NE(rangemap_domain_destroy(test->domain), 0);
    }
}

TEST_CASE(domain_error, inside_a_release_callback)
{
    struct callback_test test = {.domain = new_domain()};

    test.map = new_map(test.domain, try_in_release, &test);
    REQUIRE_EQ(rangemap_insert(test.map, 1, 1, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_insert(test.map, 2, 2, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_erase(test.map, 1, NULL), 0);
    CHECK_EQ(rangemap_domain_barrier(test.domain), 0);
    CHECK_EQ(test.runs, 1u);
    CHECK_EQ(rangemap_destroy(test.map), 0);
    CHECK_EQ(test.runs, 2u);
    CHECK_EQ(rangemap_domain_destroy(test.domain), 0);
}

static void try_in_deferred(struct rangemap_deferred *deferred, void *context)
{
    struct callback_test *test =
        (struct callback_test *)(void *)((char *)deferred - offsetof(struct callback_test, deferred));

    CHECK_EQ(context, (void *)test, "as it was given");
    test->runs++;
    CHECK_EQ(rangemap_domain_barrier(test->domain), -EDEADLK);
    CHECK_EQ(rangemap_domain_destroy(test->domain), -EDEADLK);
}

TEST_CASE(domain_error, inside_a_deferred_callback)
{
    struct callback_test test = {.domain = new_domain()};

    REQUIRE_EQ(rangemap_domain_defer(test.domain, &test.deferred, try_in_deferred, &test), 0);
    CHECK_EQ(rangemap_domain_barrier(test.domain), 0);
    CHECK_EQ(test.runs, 1u);
    CHECK_EQ(rangemap_domain_destroy(test.domain), 0);
}

/* A map without a release callback has nothing to wait for. */
TEST_CASE(domain_error, destroy_of_a_plain_map_does_not_wait)
{
    struct rangemap_domain *domain = new_domain();
    struct rangemap *map = new_map(domain, NULL, NULL);

    REQUIRE_EQ(rangemap_insert(map, 1, 2, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_read_begin(domain), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    rangemap_domain_read_end(domain);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
