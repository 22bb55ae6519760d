// SPDX-License-Identifier: BSD-2-Clause
/* A walk of a few records at a time that goes on where the last one ended comes by all of them equally often. */
#include <string.h>

#include "rangemap/base/turn.h"
#include "rangemap/epoch/roster.h"
#include "test/shim/ctest.h"

enum { RECORDS = 70, LOOKS = 16, MANY = 2000 };

static struct rm_roster roster;
static struct rm_roster_page second;
static char record[RECORDS]; /* stand for records, which the walk does not touch */

static void fill(unsigned count)
{
    memset(&roster, 0, sizeof roster);
    memset(&second, 0, sizeof second);
    for (unsigned i = 0; i < count; i++) {
        struct rm_roster_page *page = i < RM_ROSTER_PLACES ? &roster.first : &second;
        unsigned place = i % RM_ROSTER_PLACES;

        rm_word_set_private(&page->record[place], (uintptr_t)&record[i]);
        rm_word_set_private(&page->attached, rm_word_private(&page->attached) | UINT64_C(1) << place);
    }
    if (count > RM_ROSTER_PLACES) {
        rm_word_set_private(&roster.first.next, (uintptr_t)&second);
    }
}

/* `all`: of every place, else of those with a thread. */
static void look_at_some(unsigned count, rm_word *turn, bool all, unsigned *looks)
{
    struct rm_roster_walk walk = rm_roster_begin(&roster, all);
    struct rm_thread *found;

    rm_roster_skip(&walk, rm_turn(turn, LOOKS, count));
    for (unsigned i = 0; i < LOOKS && (found = rm_roster_next(&walk)) != NULL; i++) {
        looks[(char *)found - record]++;
    }
}

static void check_fairness(unsigned count, bool all)
{
    unsigned looks[RECORDS] = {0};
    rm_word turn = {0};

    fill(count);
    for (unsigned round = 0; round < count; round++) {
        look_at_some(count, &turn, all, looks);
    }
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(looks[i], (unsigned)LOOKS, "record %u of %u", i, count);
    }
}

TEST_CASE(roster, a_few_at_a_time_come_by_all)
{
    for (unsigned count = LOOKS + 1; count < RECORDS; count++) {
        check_fairness(count, false);
    }
    check_fairness(RM_ROSTER_PLACES, true);
}

/* Without a skip it ends after the last. */
TEST_CASE(roster, all_come_once)
{
    struct rm_roster_walk walk;
    unsigned count = 0;

    fill(RECORDS);
    walk = rm_roster_begin(&roster, false);
    while (rm_roster_next(&walk) != NULL) {
        count++;
    }
    CHECK_EQ(count, (unsigned)RECORDS);
}

static void look_at_places(rm_word *turn, uint64_t count, unsigned *looks)
{
    uint64_t place = rm_turn(turn, LOOKS, count);

    REQUIRE_LT(place, count);
    for (unsigned i = 0; i < LOOKS; i++) {
        looks[(place + i) % count]++;
    }
}

/* One more at each look, or one fewer: as where each thread that comes makes a record after a look for one. */
static void check_while_it_changes(uint64_t from, int64_t by, unsigned rounds)
{
    unsigned looks[MANY] = {0};
    rm_word turn = {0};
    uint64_t count = from;

    for (unsigned i = 0; i < rounds; i++, count += (uint64_t)by) {
        if (i == rounds / 2) {
            memset(looks, 0, sizeof looks);
        }
        look_at_places(&turn, count, looks);
    }
    for (uint64_t i = 0; i < (by > 0 ? from : count); i++) {
        CHECK_GE(looks[i], 1u, "place %u of %u", (unsigned)i, (unsigned)count);
    }
}

TEST_CASE(roster, all_are_looked_at_while_their_number_changes)
{
    check_while_it_changes(100, 1, 1800);
    check_while_it_changes(1, 1, 1900);
    check_while_it_changes(1900, -1, 1800);
}

TEST_CASE(roster, a_turn_begins_anew_when_few_are_left)
{
    rm_word turn = {1000};

    CHECK_EQ(rm_turn(&turn, LOOKS, 501), 499u);
    CHECK_EQ(rm_turn(&turn, LOOKS, 501), 0u + 515 - 501);
    CHECK_EQ(rm_turn(&turn, LOOKS, 15), 0u, "twice as far and more");
    CHECK_EQ(rm_turn(&turn, LOOKS, 501), (uint64_t)LOOKS);
}
