// SPDX-License-Identifier: BSD-2-Clause
/* Whose threads are in the way of rangemap_unload(), whichever of them came first. */
#include <errno.h>
#include <semaphore.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

/* A map, and a thread that is attached to its domain and stays. */
struct place {
    struct rangemap_domain *domain; /* NULL: the default one */
    struct rangemap *map;
    struct crew crew;
    sem_t attached, may_end;
};

static void attach_and_stay(unsigned index, void *context)
{
    struct place *place = context;

    (void)index;
    CHECK_EQ(rangemap_insert(place->map, 1, 2, NULL, NULL), 0);
    (void)sem_post(&place->attached);
    while (sem_wait(&place->may_end) != 0) {
    }
}

static void make_and_stay(unsigned index, void *context)
{
    struct place *place = context;
    struct rangemap_options options = {.domain = place->domain};

    CHECK_EQ(rangemap_create(&options, &place->map), 0);
    attach_and_stay(index, context);
}

static void make_domain_and_stay(unsigned index, void *context)
{
    struct place *place = context;

    CHECK_EQ(rangemap_domain_create(NULL, &place->domain), 0);
    make_and_stay(index, context);
}

static void start(struct place *place, crew_body *body)
{
    REQUIRE_EQ(sem_init(&place->attached, 0, 0), 0);
    REQUIRE_EQ(sem_init(&place->may_end, 0, 0), 0);
    crew_start(&place->crew, 1, body, place);
    while (sem_wait(&place->attached) != 0) {
    }
}

static void end(struct place *place)
{
    (void)sem_post(&place->may_end);
    crew_join(&place->crew);
}

/* After each case nothing of the library's is left: the next one begins as a new process does. */
static void check_all_is_gone(void)
{
    CHECK_EQ(rangemap_unload(false), 0);
    CHECK_EQ(rangemap_unload(false), 0, "and again");
}

TEST_CASE(unload, a_thread_of_a_destroyed_domain)
{
    for (unsigned caller_is_first = 0; caller_is_first < 2; caller_is_first++) {
        struct place place = {.domain = NULL};
        struct rangemap *own = NULL;

        if (caller_is_first) {
            REQUIRE_EQ(rangemap_create(NULL, &own), 0);
        }
        start(&place, make_domain_and_stay);
        CHECK_EQ(rangemap_unload(false), -EBUSY, "a map and a domain are left");
        CHECK_EQ(rangemap_destroy(own), 0);
        CHECK_EQ(rangemap_destroy(place.map), 0);
        CHECK_EQ(rangemap_unload(false), -EBUSY, "a domain is left");
        CHECK_EQ(rangemap_domain_destroy(place.domain), 0);
        CHECK_EQ(rangemap_unload(false), -EBUSY, "a thread is left; the caller was first: %u",
                 caller_is_first);
        end(&place);
        check_all_is_gone();
    }
}

TEST_CASE(unload, a_thread_of_the_default_domain)
{
    for (unsigned caller_is_first = 0; caller_is_first < 2; caller_is_first++) {
        struct place place = {.domain = NULL};

        if (caller_is_first) {
            REQUIRE_EQ(rangemap_create(NULL, &place.map), 0);
        }
        start(&place, caller_is_first ? attach_and_stay : make_and_stay);
        CHECK_EQ(rangemap_destroy(place.map), 0);
        CHECK_EQ(rangemap_unload(false), -EBUSY, "the caller was first: %u", caller_is_first);
        end(&place);
        check_all_is_gone();
    }
}

/* Once it has called the library, it knows that its domain is gone. */
static void call_after_the_end(unsigned index, void *context)
{
    struct place *place = context;

    make_domain_and_stay(index, context);
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    (void)sem_post(&place->attached);
    while (sem_wait(&place->may_end) != 0) {
    }
}

TEST_CASE(unload, a_thread_that_has_called_since)
{
    struct place place = {.domain = NULL};

    start(&place, call_after_the_end);
    CHECK_EQ(rangemap_destroy(place.map), 0);
    CHECK_EQ(rangemap_domain_destroy(place.domain), 0);
    CHECK_EQ(rangemap_unload(false), -EBUSY);
    (void)sem_post(&place.may_end);
    while (sem_wait(&place.attached) != 0) {
    }
    CHECK_EQ(rangemap_unload(false), 0);
    end(&place);
}
