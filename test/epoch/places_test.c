// SPDX-License-Identifier: BSD-2-Clause
/*
 * Places of records in a domain's roster: each record its own, over many pages, with or without memory for another
 * page; the bit of each alone; and walks over what is there.
 */
#include <string.h>

#include "rangemap/epoch/record.h"
#include "rangemap/epoch/roster.h"
#include "test/check/chunk_source.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { RECORDS = 3 * RM_ROSTER_PLACES + 1 };

static struct rig rig;
static struct chunk_source source;
static struct rm_thread *record[RECORDS];

/* What the next call for memory finds another thread to have made a page of; or NULL. */
static struct rm_roster_page *others_page;

static void *allocate(size_t bytes, size_t alignment, void *context)
{
    if (others_page != NULL) {
        memset(others_page, 0, sizeof *others_page);
        rm_store_release(&rig.domain->roster.first.next, rm_pointer_bits(others_page));
        others_page = NULL;
    }
    return source.allocator.alloc(bytes, alignment, context);
}

/* The test's own record has the first place. */
static void begin(void)
{
    struct rangemap_chunk_allocator allocator;
    struct rangemap_domain_options options = {.chunks = &allocator};

    chunk_source_init(&source);
    allocator = source.allocator;
    allocator.alloc = allocate;
    rig_begin(&rig, &options, 0);
    record[0] = rig.own;
}

static void end(void)
{
    rig_end(&rig);
    CHECK_EQ(source.live, 0u);
    CHECK_EQ(source.breaches, 0u);
}

static void add(unsigned place)
{
    record[place] = rm_record_take();
    REQUIRE_NE(record[place], NULL);
    REQUIRE(rm_record_join(record[place], rig.domain));
    CHECK_EQ(record[place]->place, place % RM_ROSTER_PLACES);
    CHECK_EQ(rm_load_pointer(&record[place]->page->record[record[place]->place]), record[place]);
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.places), place + 1);
    rm_record_push_parked(record[place]);
}

static const struct rm_roster_page *page_at(unsigned number)
{
    const struct rm_roster_page *page = &rig.domain->roster.first;

    for (; number > 0 && page != NULL; number--) {
        page = rm_load_pointer(&page->next);
    }
    return page;
}

/* Those with a bit in `attached`, or all, in the order of their places. */
static void check_walk(unsigned count, unsigned every)
{
    struct rm_roster_walk walk = rm_roster_begin(&rig.domain->roster, false);

    for (unsigned i = 0; i < count; i++) {
        if (i == 0 || (every > 0 && i % every == 0)) {
            CHECK_EQ(rm_roster_next(&walk), record[i], "every %u", every);
        }
    }
    CHECK_EQ(rm_roster_next(&walk), NULL);
    walk = rm_roster_begin(&rig.domain->roster, true);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(rm_roster_next(&walk), record[i]);
    }
    CHECK_EQ(rm_roster_next(&walk), NULL);
}

TEST_CASE(places, each_record_has_its_own)
{
    begin();
    for (unsigned i = 1; i < RECORDS; i++) {
        add(i);
        CHECK_EQ(record[i]->page, page_at(i / RM_ROSTER_PLACES));
        CHECK_EQ(page_at(i / RM_ROSTER_PLACES + 1), NULL, "not before it is needed");
        check_walk(i + 1, 0);
    }
    end();
}

TEST_CASE(places, each_bit_alone)
{
    struct rm_roster *roster;

    begin();
    roster = &rig.domain->roster;
    for (unsigned i = 1; i < RECORDS; i++) {
        add(i);
    }
    for (unsigned every = 1; every < 9; every++) {
        unsigned count = 1;

        for (unsigned i = every; i < RECORDS; i += every, count++) {
            rm_roster_set_attached(roster, record[i], true);
            rm_roster_set_attached(roster, record[i], true);
        }
        CHECK_EQ(rm_load_relaxed(&roster->attached), count, "twice is once");
        check_walk(RECORDS, every);
        for (unsigned i = every; i < RECORDS; i += every) {
            rm_roster_set_attached(roster, record[i], false);
            rm_roster_set_attached(roster, record[i], false);
        }
        CHECK_EQ(rm_load_relaxed(&roster->attached), 1u);
        check_walk(RECORDS, 0);
    }
    end();
}

static void *all[4096];

/* Takes all nodes of a page's size, and there is no more memory. Returns how many. */
static unsigned take_all(void)
{
    unsigned used = 0;

    source.fail_all = true;
    for (; used < 4096 && (all[used] = rm_thread_alloc(rig.own, RM_ROSTER_LINES)) != NULL; used++) {
    }
    REQUIRE_LT(used, 4096u);
    return used;
}

/* A new page takes memory, of which there is none; a place in a page that is there takes none. */
TEST_CASE(places, without_memory)
{
    begin();
    for (unsigned i = 1; i < RECORDS; i++) {
        struct rm_thread *thread = rm_record_take();
        bool needs_page = i % RM_ROSTER_PLACES == 0;
        unsigned used = take_all();

        CHECK_EQ(rm_record_join(thread, rig.domain), !needs_page, "place %u", i);
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.places), needs_page ? i : i + 1);
        CHECK_EQ(thread->section.global, needs_page ? NULL : &rig.domain->epoch);
        while (used > 0) {
            rm_thread_free(rig.own, all[--used], RM_ROSTER_LINES);
        }
        source.fail_all = false;
        CHECK(!needs_page || rm_record_join(thread, rig.domain), "then there is");
        CHECK_EQ(thread->page, page_at(i / RM_ROSTER_PLACES));
        rm_record_push_parked(thread);
    }
    end();
}

/* There is none for this thread, but a page of another's, with places for both. */
TEST_CASE(places, another_thread_makes_the_page)
{
    struct rm_thread *thread;
    unsigned used;

    begin();
    for (unsigned i = 1; i < RM_ROSTER_PLACES; i++) {
        add(i);
    }
    thread = rm_record_take();
    used = take_all();
    others_page = all[--used];
    CHECK(rm_record_join(thread, rig.domain));
    CHECK_EQ(thread->page, page_at(1));
    CHECK_EQ(thread->page, all[used]);
    while (used > 0) {
        rm_thread_free(rig.own, all[--used], RM_ROSTER_LINES);
    }
    source.fail_all = false;
    rm_record_push_parked(thread);
    end();
}
