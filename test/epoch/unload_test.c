// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is in the way of the library's end, beside threads (thread/unload_test.c): sections, callbacks, and what those
 * make anew. Whatever was refused is as it was; in the end nothing is mapped.
 */
#include <errno.h>

#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/unload.h"
#include "test/check/guests.h"
#include "test/epoch/kernel.h"
#include "test/shim/ctest.h"

static struct rangemap_deferred deferred;
static struct rangemap *map;
static unsigned runs, left;

static void use(void)
{
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    CHECK_EQ(rangemap_insert(map, 1, 2, NULL, NULL), 0);
}

static void end_map(void)
{
    CHECK_EQ(rangemap_destroy(map), 0);
    map = NULL;
}

static void check_ends(void)
{
    CHECK_EQ(rangemap_unload(false), 0);
    CHECK_EQ(rm_domain_existing(NULL), NULL);
    CHECK_EQ(rm_domain_others(), 0u);
    CHECK_EQ(rm_record_numbers(), 0u);
    CHECK_EQ(rangemap_domain_is_attached(NULL), 0);
}

static void begin(void)
{
    check_ends();
    kernel_reset();
    kernel.mapped_bytes = 0;
    runs = 0;
}

static void end(void)
{
    check_ends();
#if !defined(__SANITIZE_THREAD__)
    CHECK_EQ(kernel.mapped_bytes, 0, "what was mapped is unmapped");
#endif
    kernel.clock_ns = 0;
}

TEST_CASE(unload, again_and_again)
{
    for (unsigned i = 0; i < 5; i++) {
        begin();
        use();
        CHECK_EQ(rangemap_unload(false), -EBUSY, "a map");
        CHECK_EQ(rangemap_unload(true), -EBUSY, "a map");
        CHECK_EQ(rangemap_lookup(map, 1, NULL), 0, "it is as it was");
        end_map();
        CHECK_EQ(rm_domain_others(), 0u);
        end();
    }
}

TEST_CASE(unload, not_in_a_section)
{
    begin();
    for (unsigned others_are_done = 0; others_are_done < 2; others_are_done++) {
        REQUIRE_EQ(rangemap_domain_read_begin(NULL), 0);
        CHECK_EQ(rangemap_unload(others_are_done != 0), -EDEADLK);
        CHECK_EQ(rangemap_domain_is_attached(NULL), 1);
        rangemap_domain_read_end(NULL);
    }
    end();
}

/* It waits until after the section at least. */
static void defer(rangemap_deferred_fn *run)
{
    REQUIRE_EQ(rangemap_domain_read_begin(NULL), 0);
    REQUIRE_EQ(rangemap_domain_defer(NULL, &deferred, run, NULL), 0);
    rangemap_domain_read_end(NULL);
    CHECK_EQ(runs, 0u);
}

static void unload_inside(struct rangemap_deferred *object, void *context)
{
    (void)object;
    (void)context;
    runs++;
    CHECK_EQ(rangemap_unload(false), -EDEADLK);
}

TEST_CASE(unload, not_in_a_callback)
{
    begin();
    defer(unload_inside);
    CHECK_EQ(rangemap_domain_barrier(NULL), 0);
    CHECK_EQ(runs, 1u);
    end();
}

static void defer_again(struct rangemap_deferred *object, void *context)
{
    runs++;
    if (left-- > 0) {
        CHECK_EQ(rangemap_domain_defer(NULL, object, defer_again, context), 0);
    }
}

/* However often they come again. */
TEST_CASE(unload, what_waits_is_ended)
{
    for (unsigned times = 0; times < 6; times++) {
        begin();
        left = times;
        defer(defer_again);
        CHECK_EQ(rangemap_unload(false), 0);
        CHECK_EQ(runs, times + 1);
        end();
    }
}

static void make_map(struct rangemap_deferred *object, void *context)
{
    (void)object;
    (void)context;
    runs++;
    use();
}

/* It is not in the way before, but after. */
TEST_CASE(unload, a_map_that_a_callback_makes)
{
    begin();
    defer(make_map);
    CHECK_EQ(rangemap_unload(false), -EBUSY);
    CHECK_EQ(runs, 1u);
    CHECK_EQ(rangemap_lookup(map, 1, NULL), 0);
    CHECK_EQ(rangemap_insert(map, 5, 6, NULL, NULL), 0);
    end_map();
    end();
}

/* The bag that is open, too. */
TEST_CASE(unload, what_was_dropped)
{
    begin();
    use();
    for (unsigned i = 0; i < 30; i++) {
        CHECK_EQ(rangemap_store(map, 1, 2, NULL, NULL, NULL), 0);
    }
    end_map();
    end();
}

/* If the others are done, what they still have is not in the way, but for sections. */
TEST_CASE(unload, others_that_are_done)
{
    struct guests guests;

    begin();
    guests_come(&guests, NULL, 3);
    CHECK_EQ(rangemap_unload(false), -EBUSY);
    for (uint32_t i = 0; i < rm_record_numbers(); i++) {
        struct rm_thread *thread = rm_record_at(i);

        if (thread != NULL && thread->section.global != NULL) {
            thread->section.active = 1;
            CHECK_EQ(rangemap_unload(true), rm_thread_is_own(thread) ? -EDEADLK : -EBUSY, "record %u", i);
            thread->section.active = 0;
        }
    }
    CHECK_EQ(rangemap_unload(true), 0);
    guests_leave(&guests);
    end();
}

/* Each of them may come back to its record, wherever that is. */
TEST_CASE(unload, orphans_of_others)
{
    enum { OTHERS = 5 };
    struct rangemap_domain *domain;
    struct guests guests;

    begin();
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    guests_come(&guests, domain, OTHERS);
    CHECK_EQ(rangemap_unload(true), -EBUSY, "a domain");
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    for (uint32_t i = 0; i < rm_record_numbers(); i++) {
        struct rm_thread *thread = rm_record_at(i);
        uint64_t standing = rm_load_relaxed(&thread->standing);

        if (rm_standing_state(standing) == RM_THREAD_ORPHAN &&
            rm_standing_tid(standing) != rm_thread_number()) {
            for (uint32_t j = 0; j < rm_record_numbers(); j++) { /* it alone */
                if (j != i &&
                    rm_standing_state(rm_load_relaxed(&rm_record_at(j)->standing)) == RM_THREAD_ORPHAN) {
                    rm_record_set_state(rm_record_at(j), RM_THREAD_MOVING);
                }
            }
            CHECK_EQ(rangemap_unload(false), -EBUSY, "record %u", i);
            kernel.gone = rm_record_tid(thread);
            if (i + 1 == rm_record_numbers()) {
                break;
            }
            kernel.gone = 0;
            for (uint32_t j = 0; j < rm_record_numbers(); j++) {
                if (rm_standing_state(rm_load_relaxed(&rm_record_at(j)->standing)) == RM_THREAD_MOVING) {
                    rm_record_set_state(rm_record_at(j), RM_THREAD_ORPHAN);
                }
            }
        }
    }
    kernel.gone = 0;
    CHECK_EQ(rangemap_unload(true), 0);
    guests_leave(&guests);
    end();
}
