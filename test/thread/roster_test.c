// SPDX-License-Identifier: BSD-2-Clause
/* A walk of a few records at a time that goes on where the last one ended comes by all of them equally often. */
#include <string.h>

#include "rangemap/epoch/roster.h"
#include "test/shim/ctest.h"

enum { RECORDS = 70, LOOKS = 16 };

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

/* As upkeep and attach do it; `all`: of every place, else of those with a thread. */
static void look_at_some(unsigned count, unsigned round, bool all, unsigned *looks)
{
    struct rm_roster_walk walk = rm_roster_begin(&roster, all);
    struct rm_thread *found;

    rm_roster_skip(&walk, (uint64_t)round * LOOKS % count);
    for (unsigned i = 0; i < LOOKS && (found = rm_roster_next(&walk)) != NULL; i++) {
        looks[(char *)found - record]++;
    }
}

static void check_fairness(unsigned count, bool all)
{
    unsigned looks[RECORDS] = {0};

    fill(count);
    for (unsigned round = 0; round < count; round++) {
        look_at_some(count, round, all, looks);
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
