// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another thread comes before any access to a shared word of one that takes, gives or trims, and does all of its own
 * there: whatever came of it, no node is lost, nor had by two, and what is free is shown. The pool's sources are
 * compiled anew here, with the hooks that the explorer has.
 */
#include <stdlib.h>

#include "test/memory/pool_rig.h"
#include "test/shim/prng.h"

enum { HELD = 64, LINES = RM_LINES_MAX, NODES = RM_SLAB_LINES / LINES, CHUNKS = 3, NO_END = 10000 };

/* ---- who comes in between ---- */

static struct meeting {
    void (*interfere)(void);
    unsigned at, count;
    bool armed, has_met;
} meeting;

static struct rm_pool *pool;

/* The read-modify-write that came last, and how many have left their word as it was. */
static struct updates {
    const rm_word *word;
    uint64_t before, count, vain;
} updates;

/* Who gives all nodes of a slab at once finds so that no other has any: from none that are free to none. */
static bool may_stay(const rm_word *word)
{
    const struct rm_table *table = pool->tables;

    for (unsigned i = 0; i < table->extents; i++) {
        if (word >= table->extent[i].free && word < table->extent[i].free + RM_EXTENT_SLABS) {
            return updates.before == 0;
        }
    }
    return false;
}

static void look_at_last_update(void)
{
    updates.vain +=
        updates.word != NULL && rm_word_private(updates.word) == updates.before && !may_stay(updates.word);
    updates.word = NULL;
}

void rm_explorer_point(const void *word)
{
    (void)word;
    look_at_last_update();
    if (meeting.armed && meeting.count++ == meeting.at) {
        meeting.armed = false;
        meeting.has_met = true;
        meeting.interfere();
    }
}

void rm_explorer_update(const void *word)
{
    rm_explorer_point(word);
    updates.count++;
    updates.word = word;
    updates.before = rm_word_private(word);
}

void rm_explorer_delay(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_poison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_unpoison(const void *address, size_t bytes)
{
    (void)address;
    (void)bytes;
}

void rm_explorer_books(const void *address, size_t bytes, bool open)
{
    (void)address;
    (void)bytes;
    (void)open;
}

uint64_t rm_explorer_tick(void)
{
    return 1000000000;
}

/* ---- what is had ---- */

/* What a thread has: nodes of slabs, and whole slabs. */
struct hands {
    struct rm_slice slice[HELD];
    unsigned lines[HELD], slices;
    struct rm_slab *slab[HELD];
    unsigned slabs;
    struct rm_seeker seeker;
};

static struct chunk_source source;
static struct hands one, other;
static bool is_mapped;

static bool take(struct hands *hands, unsigned lines, unsigned wanted)
{
    unsigned i = hands->slices;
    bool has = rm_pool_take(pool, lines, wanted, true, &hands->seeker, &hands->slice[i]);

    hands->lines[i] = lines;
    hands->slices += has;
    return has;
}

static void give(struct hands *hands)
{
    unsigned i = --hands->slices;

    rm_pool_give(pool, hands->lines[i], hands->slice[i]);
}

static void take_slab(struct hands *hands, struct rm_slab *slab)
{
    hands->slab[hands->slabs] = slab;
    hands->slabs += slab != NULL;
}

static void give_slab(struct hands *hands)
{
    rm_pool_give_slab(pool, hands->slab[--hands->slabs]);
}

static uint64_t bytes_in(const struct hands *hands)
{
    uint64_t bytes = (uint64_t)hands->slabs * RM_SLAB_LINES * RM_CACHE_LINE;

    for (unsigned i = 0; i < hands->slices; i++) {
        bytes += (uint64_t)rm_bits_count(hands->slice[i].nodes) * hands->lines[i] * RM_CACHE_LINE;
    }
    return bytes;
}

/* Of two slices, of one hand or of both, none has what the other one has. */
static void check_apart(const struct rm_slice *a, const struct rm_slice *b)
{
    CHECK(a->slab != b->slab || (a->nodes & b->nodes) == 0, "nodes that two have");
}

static void check_hands(void)
{
    for (unsigned i = 0; i < one.slices; i++) {
        for (unsigned j = 0; j < other.slices; j++) {
            check_apart(&one.slice[i], &other.slice[j]);
        }
    }
    for (unsigned i = 0; i < one.slabs; i++) {
        for (unsigned j = 0; j < other.slabs; j++) {
            CHECK_NE(one.slab[i], other.slab[j]);
        }
    }
    check_books(pool, bytes_in(&one) + bytes_in(&other));
}

static void empty_hands(struct hands *hands)
{
    while (hands->slices > 0) {
        give(hands);
    }
    while (hands->slabs > 0) {
        give_slab(hands);
    }
}

static void check(void)
{
    check_hands();
    empty_hands(&one);
    empty_hands(&other);
    finish(pool, is_mapped ? NULL : &source);
}

static void *take_chunk(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    source.live++;
    return aligned_alloc(alignment, bytes);
}

static void give_chunk(void *chunk, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    source.live--;
    free(chunk);
}

static void begin(void)
{
    source.allocator = (struct rangemap_chunk_allocator){take_chunk, give_chunk, NULL};
    pool = new_pool(is_mapped ? NULL : &source.allocator);
    one = other = (struct hands){.slices = 0};
}

/* Before each access of `act`. */
static void meet(void (*prepare)(void), void (*act)(void), void (*interfere)(void))
{
    unsigned at = 0;

    do {
        begin();
        prepare();
        meeting = (struct meeting){.interfere = interfere, .at = at++, .armed = true};
        act();
        meeting.armed = false;
        check();
        REQUIRE_LE(at, (unsigned)NO_END);
    } while (meeting.has_met);
    CHECK_GT(at, 3u);
}

/* ---- nodes ---- */

static void one_takes(void)
{
    CHECK(take(&one, LINES, 1));
}

static void one_gives(void)
{
    give(&one);
}

static void other_takes(void)
{
    CHECK(take(&other, LINES, 1));
}

static void other_gives(void)
{
    give(&other);
}

/* Of a slab the two have so many nodes, in slices of one; the others are free. */
static void prepare_nodes(unsigned ones, unsigned others)
{
    struct hands rest = {.slices = 0};

    REQUIRE(take(&rest, LINES, NODES));
    CHECK_EQ(rest.slice[0].nodes, rm_slab_all(LINES));
    for (unsigned i = 0; i < ones + others; i++) {
        struct hands *hands = i < ones ? &one : &other;

        hands->lines[hands->slices] = LINES;
        hands->slice[hands->slices++] = (struct rm_slice){rest.slice[0].slab, UINT64_C(1) << i};
        rest.slice[0].nodes &= ~(UINT64_C(1) << i);
    }
    if (rest.slice[0].nodes != 0) {
        give(&rest);
    }
}

static void all_but_one_are_had(void)
{
    prepare_nodes(NODES - 2, 1);
}

static void all_but_two_are_had(void)
{
    prepare_nodes(NODES - 3, 1);
}

static void all_are_had(void)
{
    prepare_nodes(NODES - 1, 1);
}

static void one_is_had(void)
{
    prepare_nodes(1, 0);
}

static void each_has_one(void)
{
    prepare_nodes(1, 1);
}

TEST_CASE(meeting, the_last_node_is_taken)
{
    meet(all_but_one_are_had, one_takes, other_gives);
    meet(all_but_one_are_had, one_takes, other_takes);
    meet(all_but_two_are_had, one_takes, other_takes);
}

/* What the hint leads to has nothing, and then has. */
TEST_CASE(meeting, a_slab_without_nodes_is_passed_over)
{
    meet(all_are_had, one_takes, other_gives);
}

static void all_are_had_and_shown(void)
{
    all_are_had();
    rm_set_add(one.slice[0].slab->extent, LINES - RM_LINES_MIN, UINT64_C(1) << one.slice[0].slab->index);
}

TEST_CASE(meeting, a_hint_that_is_out_of_date)
{
    meet(all_are_had_and_shown, one_takes, other_gives);
    meet(all_are_had_and_shown, one_takes, other_takes);
}

TEST_CASE(meeting, the_first_node_is_given)
{
    meet(all_are_had, one_gives, other_takes);
    meet(all_are_had, one_gives, other_gives);
}

/* The slab is whole, or is not. */
TEST_CASE(meeting, the_last_node_is_given)
{
    meet(one_is_had, one_gives, other_takes);
    meet(each_has_one, one_gives, other_gives);
    meet(each_has_one, one_gives, other_takes);
}

/* ---- sizes ---- */

/* The slab is of another size, as the thread finds out that has taken nodes of it. */
static void another_size_is_shown(void)
{
    REQUIRE(take(&other, RM_LINES_MIN, 1));
    rm_set_add(other.slice[0].slab->extent, LINES - RM_LINES_MIN, UINT64_C(1) << other.slice[0].slab->index);
}

static void other_takes_smallest(void)
{
    CHECK(take(&other, RM_LINES_MIN, 1));
}

TEST_CASE(meeting, nodes_of_another_size_go_back)
{
    meet(another_size_is_shown, one_takes, other_gives);
    meet(another_size_is_shown, one_takes, other_takes_smallest);
}

/* ---- whole slabs ---- */

static void one_takes_slab(void)
{
    take_slab(&one, rm_pool_take_slab(pool, 0));
    CHECK_GT(one.slabs, 0u);
}

static void one_gives_slab(void)
{
    give_slab(&one);
}

static void other_takes_slab(void)
{
    take_slab(&other, rm_pool_take_slab(pool, 0));
    CHECK_GT(other.slabs, 0u);
}

static void other_gives_slab(void)
{
    give_slab(&other);
}

/* So many slabs are idle. */
static void leave_idle(unsigned count)
{
    struct rm_slab *slab;

    while ((slab = rm_pool_take_idle(pool)) != NULL) {
        take_slab(one.slabs <= other.slabs ? &one : &other, slab);
    }
    REQUIRE_GE(one.slabs, count);
    while (count-- > 0) {
        give_slab(&one);
    }
    one.seeker = other.seeker = (struct rm_seeker){0, 0};
}

static void none_is_idle(void)
{
    leave_idle(0);
}

static void one_is_idle(void)
{
    leave_idle(1);
}

static void two_are_idle(void)
{
    leave_idle(2);
}

TEST_CASE(meeting, a_slab_is_taken)
{
    meet(one_is_idle, one_takes_slab, other_takes_slab);
    meet(two_are_idle, one_takes_slab, other_takes_slab);
    meet(one_is_idle, one_takes_slab, other_gives_slab);
    meet(none_is_idle, one_takes_slab, other_gives_slab);
}

TEST_CASE(meeting, a_slab_is_given)
{
    meet(none_is_idle, one_gives_slab, other_takes_slab);
    meet(none_is_idle, one_gives_slab, other_gives_slab);
}

/* ---- chunks ---- */

static void one_trims(void)
{
    (void)rm_pool_trim(pool);
}

/* Beside the home, some slabs of two chunks; all of the last one is idle. */
static void a_chunk_is_idle(void)
{
    none_is_idle();
    while (rm_load_relaxed(&pool->chunk_bytes) < (uint64_t)CHUNKS * RM_CHUNK_MIN_BYTES) {
        take_slab(&one, rm_pool_take_slab(pool, 0));
    }
    one_gives_slab();
}

static void other_trims(void)
{
    (void)rm_pool_trim(pool);
}

/* Another chunk begins where the idle one began, and is larger. */
static void other_changes_chunks(void)
{
    other_trims();
    for (unsigned i = 0; i < 2; i++) {
        take_slab(&other, rm_pool_take_slab(pool, RM_CHUNK_MAX_BYTES));
    }
    give_slab(&other);
    give_slab(&other);
}

static void meet_trimming(void)
{
    meet(a_chunk_is_idle, one_trims, other_takes_slab);
    meet(a_chunk_is_idle, one_trims, other_trims);
    meet(a_chunk_is_idle, one_trims, other_changes_chunks);
    meet(a_chunk_is_idle, one_takes_slab, other_trims);
    meet(a_chunk_is_idle, one_gives_slab, other_trims);
}

TEST_CASE(meeting, a_chunk_goes)
{
    meet_trimming();
}

/* Or pages, where it cannot go as a whole. */
TEST_CASE(meeting, pages_go)
{
    is_mapped = true;
    meet_trimming();
    is_mapped = false;
}

/* ---- alone ---- */

static void do_something(struct prng *random)
{
    unsigned lines = (unsigned)prng_between(random, RM_LINES_MIN, RM_LINES_MAX);

    switch (prng_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        if (one.slices < HELD) {
            CHECK(take(&one, lines, (unsigned)prng_between(random, 1, 64)));
        }
        return;
    case 3:
        if (one.slabs < HELD) {
            one_takes_slab();
        }
        return;
    case 4:
        if (one.slabs > 0) {
            one_gives_slab();
        }
        return;
    case 5:
        empty_hands(&one);
        return;
    case 6:
        one_trims();
        return;
    default:
        if (one.slices > 0) {
            one_gives();
        }
        return;
    }
}

/* Words that others read are written only to change them: else they would miss them for nothing. */
TEST_CASE(meeting, alone_nothing_is_written_in_vain)
{
    for (unsigned round = 0; round < 20; round++) {
        struct prng random = prng_stream(test_seed(), round);

        is_mapped = round % 2 == 0;
        begin();
        updates = (struct updates){.word = NULL};
        for (unsigned i = 0; i < 200; i++) {
            do_something(&random);
        }
        look_at_last_update();
        CHECK_EQ(updates.vain, 0u, "of %u, in round %u", (unsigned)updates.count, round);
        CHECK_GE(updates.count, 500u);
        check();
    }
    is_mapped = false;
}
