// SPDX-License-Identifier: BSD-2-Clause
/*
 * Updates over several leaves that have nothing to do, or may not: they are over before anything is frozen, and read no
 * more of an instant than they must. What they say of a region that they did freeze holds only if it was in the tree.
 */
#include <errno.h>
#include <semaphore.h>

#include "rangemap/map/inspect.h"
#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

enum { RANGES = 2000, STEP = 10, WIDTH = 5, LEAVES_MAX = 2000 };

/* ---- a map, and what of it is frozen ---- */

struct look {
    uint64_t low[LEAVES_MAX]; /* of each leaf but the first */
    unsigned leaves, frozen;
};

static bool look_at(void *state, const struct rm_place *place)
{
    struct look *look = state;

    for (unsigned i = 0; rm_meta_level(place->meta) > 0 && i < rm_meta_count(place->meta); i++) {
        look->frozen += rm_slot_is_frozen(rm_load_relaxed(&rm_inner(place->node)->slot[i]));
    }
    if (rm_meta_level(place->meta) == 0 && place->span.low > 0) {
        look->low[look->leaves++] = place->span.low;
    }
    return true;
}

static const struct look *look_into(const struct rangemap *map)
{
    static struct look look;

    look = (struct look){.leaves = 0};
    REQUIRE_EQ(rm_inspect(map, look_at, &look), 0);
    return &look;
}

/* Of each leaf the first range is gone again. */
static struct rangemap *new_map(void)
{
    static struct rangemap_entry entries[RANGES];
    struct rangemap *map = NULL;
    const struct look *look;

    for (uint64_t i = 0; i < RANGES; i++) {
        entries[i] = (struct rangemap_entry){STEP * i, STEP * i + WIDTH - 1, entries};
    }
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entries, RANGES, NULL), 0);
    look = look_into(map);
    for (unsigned i = 0; i < look->leaves; i++) {
        REQUIRE_EQ(rangemap_erase_exact(map, look->low[i], look->low[i] + WIDTH - 1, NULL), 0);
    }
    return map;
}

/* ---- updates that change nothing ---- */

static int keep(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                void *context)
{
    (void)part;
    (void)whole;
    (void)value;
    (void)context;
    return RANGEMAP_KEEP;
}

static int carve(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    (void)conflict;
    return rangemap_carve(map, start, last, NULL, NULL);
}

static int carve_value(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    (void)conflict;
    return rangemap_carve_value(map, start, last, NULL, NULL, NULL);
}

static int evict(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    (void)conflict;
    return rangemap_evict(map, start, last, NULL, NULL);
}

static int update(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    (void)conflict;
    return rangemap_update(map, start, last, keep, NULL, NULL);
}

static int splice(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    (void)conflict;
    return rangemap_splice(map, start, last, NULL, 0, NULL);
}

static int insert(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict)
{
    return rangemap_insert(map, start, last, NULL, conflict);
}

static int splice_if_free(struct rangemap *map, uint64_t start, uint64_t last,
                          struct rangemap_entry *conflict)
{
    const struct rangemap_entry entry = {start, last, NULL};
    const struct rangemap_rewrite how = {.if_free = true, .conflict = conflict};

    return rangemap_splice(map, start, last, &entry, 1, &how);
}

static int update_if_free(struct rangemap *map, uint64_t start, uint64_t last,
                          struct rangemap_entry *conflict)
{
    const struct rangemap_rewrite how = {.if_free = true, .conflict = conflict};

    return rangemap_update(map, start, last, keep, NULL, &how);
}

typedef int update_fn(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *conflict);

static update_fn *const nothing_there[] = {carve, carve_value, evict, update, splice};
static update_fn *const in_the_way[] = {insert, splice_if_free, update_if_free};

static uint64_t clock_of(const struct rangemap *map)
{
    return rm_load_relaxed(&map->clock);
}

/* That nothing is there is so at one instant: a snapshot's, one movement of the clock. */
TEST_CASE(quiet_update, nothing_is_there)
{
    struct rangemap *map = new_map();
    const struct look *look = look_into(map);
    const unsigned leaves = look->leaves;

    CHECK_GT(leaves, 100u);
    for (unsigned i = 0; i < leaves; i++) {
        uint64_t low = look->low[i], before = clock_of(map);

        for (unsigned k = 0; k < sizeof nothing_there / sizeof *nothing_there; k++) {
            REQUIRE_EQ(nothing_there[k](map, low - 1, low, NULL), 0);
            REQUIRE_EQ(clock_of(map), before + k + 1, "update %u", k);
        }
    }
    CHECK_EQ(look_into(map)->frozen, 0u);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* That something is there needs no instant: snapshots do not count such updates. */
TEST_CASE(quiet_update, something_is_there)
{
    enum { APART = 8 }; /* leaves that no other update of these changes */

    for (unsigned k = 0; k < sizeof nothing_there / sizeof *nothing_there; k++) {
        struct rangemap *map = new_map();
        const struct look look = *look_into(map);
        const uint64_t before = clock_of(map);

        for (unsigned i = 0; i < look.leaves; i += APART) {
            REQUIRE_EQ(nothing_there[k](map, look.low[i] - 1, look.low[i] + STEP, NULL), 0);
            REQUIRE_EQ(clock_of(map), before, "update %u", k);
        }
        CHECK_GT(look_into(map)->leaves, 100u);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

/* One range in the way is enough, whichever leaf it lies in, and needs no instant. */
TEST_CASE(quiet_update, something_is_in_the_way)
{
    struct rangemap *map = new_map();
    const struct look *look = look_into(map);
    const uint64_t before = clock_of(map);

    for (unsigned i = 0; i < look->leaves; i++) {
        uint64_t low = look->low[i];

        for (unsigned k = 0; k < sizeof in_the_way / sizeof *in_the_way; k++) {
            struct rangemap_entry conflict = {0, 0, NULL};

            REQUIRE_EQ(in_the_way[k](map, low - 1, low + STEP, &conflict), -EEXIST);
            REQUIRE_EQ(conflict.start, low + STEP);
            REQUIRE_EQ(in_the_way[k](map, low - STEP, low + 1, &conflict), -EEXIST);
            REQUIRE_EQ(conflict.start, low - STEP);
        }
    }
    CHECK_EQ(clock_of(map), before);
    CHECK_EQ(look_into(map)->frozen, 0u);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- answers of what is no longer there ---- */

static struct meeting {
    struct rangemap *map;
    sem_t has_read, may_go_on;
    int verdict; /* on what was there at first */
    int result;
    unsigned asked;
    uint64_t start, last;
} meeting;

/* Held in its first attempt, it speaks of values that are no longer there. */
static int judge(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                 void *context)
{
    (void)part;
    (void)context;
    if (meeting.asked++ == 0) {
        sem_post(&meeting.has_read);
        sem_wait(&meeting.may_go_on);
    }
    if (whole->value != NULL) {
        return meeting.verdict;
    }
    *value = &meeting;
    return RANGEMAP_SET;
}

static void ask(unsigned index, void *context)
{
    (void)index;
    (void)context;
    meeting.result = rangemap_update(meeting.map, meeting.start, meeting.last, judge, NULL, NULL);
}

/* Another thread replaces all of it meanwhile, or nothing. */
static void meet(int verdict, bool replaced)
{
    struct crew crew;
    void *value = NULL;

    meeting = (struct meeting){.map = new_map(), .verdict = verdict, .start = 40 * STEP, .last = 140 * STEP};
    sem_init(&meeting.has_read, 0, 0);
    sem_init(&meeting.may_go_on, 0, 0);
    crew_start(&crew, 1, ask, NULL);
    sem_wait(&meeting.has_read);
    if (replaced) {
        CHECK_EQ(rangemap_store(meeting.map, meeting.start, meeting.last, NULL, NULL, NULL), 0);
    }
    sem_post(&meeting.may_go_on);
    crew_join(&crew);
    CHECK_EQ(rangemap_lookup(meeting.map, 90 * STEP, &value), 0);
    if (replaced) {
        CHECK_EQ(meeting.result, 0, "it asks again");
        CHECK_EQ(value, &meeting);
    } else {
        CHECK_EQ(meeting.result, verdict < 0 ? verdict : 0);
        CHECK_NE(value, &meeting);
    }
    CHECK_EQ(rangemap_validate(meeting.map, NULL, 0), 0);
    CHECK_EQ(rangemap_destroy(meeting.map), 0);
    sem_destroy(&meeting.has_read);
    sem_destroy(&meeting.may_go_on);
}

TEST_CASE(quiet_update, answers_of_the_past_do_not_count)
{
    meet(-EACCES, true);
    meet(-EACCES, false);
    meet(RANGEMAP_KEEP, true);
    meet(RANGEMAP_KEEP, false);
}
