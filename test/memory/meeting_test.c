// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another thread comes before any access to a shared word of one that takes, gives or trims, and does all of its own
 * there: whatever came of it, no node is lost, nor had by two, and what is free is shown. One program has the hooks
 * once: hence its length.
 */
#include "test/memory/hands.h"

enum { LINES = RM_LINES_MAX, NODES = RM_SLAB_LINES / LINES, CHUNKS = 3 };

static void (*prepare_more)(void), (*interfere_more)(void);
static struct rm_stripe stripe_of_one, stripe_of_other;

/* Updates of hints: in vain only where the other thread came just before, after the look that they go by. */
static struct {
    unsigned accesses, met_at, vain;
    bool is_other;
    const rm_word *hint; /* that was updated last */
    uint64_t before;
} watch;

static bool is_hint(const rm_word *word)
{
    const struct rm_table *table = pool->tables;

    for (unsigned i = 0; i < table->extents; i++) {
        if (word >= table->extent[i].set && word < table->extent[i].set + RM_SIZES) {
            return true;
        }
    }
    return false;
}

static void look_at_hint(void)
{
    if (!watch.is_other) {
        watch.vain += watch.hint != NULL && rm_word_private(watch.hint) == watch.before;
        watch.hint = NULL;
        watch.accesses++;
    }
}

static void look_at_update(const rm_word *word)
{
    if (!watch.is_other && watch.met_at != watch.accesses && is_hint(word)) {
        watch.hint = word;
        watch.before = rm_word_private(word);
    }
}

static void begin_and_prepare(void)
{
    before_access = NULL;
    before_update = NULL;
    begin();
    prepare_more();
    one.seeker.stripe = stripe_of_one;
    other.seeker.stripe = stripe_of_other;
    watch.accesses = watch.met_at = 0;
    before_access = look_at_hint;
    before_update = look_at_update;
}

static void interfere_apart(void)
{
    watch.is_other = true;
    interfere_more();
    watch.is_other = false;
    watch.met_at = watch.accesses;
}

static void check_all(void)
{
    look_at_hint();
    before_access = NULL;
    before_update = NULL;
    CHECK_EQ(watch.vain, 0u, "a hint is written that is as it should be");
    check();
}

/* With one stripe, and where each thread prefers another one, or both the same. */
static void meet_in_pool(void (*prepare)(void), void (*act)(void), void (*interfere)(void))
{
    static const struct rm_stripe all = {.last = 0}, even = {0, 1}, odd = {1, 1};
    static const struct rm_stripe *stripes[][2] = {{&odd, &even}, {&even, &odd}, {&odd, &odd}, {&all, &all}};

    prepare_more = prepare;
    interfere_more = interfere;
    for (unsigned i = 0; i < sizeof stripes / sizeof *stripes; i++) { /* the last ones stay */
        stripe_of_one = *stripes[i][0];
        stripe_of_other = *stripes[i][1];
        watch.vain = 0;
        meet(begin_and_prepare, act, interfere_apart, check_all);
    }
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
    meet_in_pool(all_but_one_are_had, one_takes, other_gives);
    meet_in_pool(all_but_one_are_had, one_takes, other_takes);
    meet_in_pool(all_but_two_are_had, one_takes, other_takes);
}

/* What the hint leads to has nothing, and then has. */
TEST_CASE(meeting, a_slab_without_nodes_is_passed_over)
{
    meet_in_pool(all_are_had, one_takes, other_gives);
}

static void all_are_had_and_shown(void)
{
    all_are_had();
    rm_set_add(one.slice[0].slab->extent, LINES - RM_LINES_MIN, UINT64_C(1) << one.slice[0].slab->index);
}

TEST_CASE(meeting, a_hint_that_is_out_of_date)
{
    meet_in_pool(all_are_had_and_shown, one_takes, other_gives);
    meet_in_pool(all_are_had_and_shown, one_takes, other_takes);
}

TEST_CASE(meeting, the_first_node_is_given)
{
    meet_in_pool(all_are_had, one_gives, other_takes);
    meet_in_pool(all_are_had, one_gives, other_gives);
}

/* The slab is whole, or is not. */
TEST_CASE(meeting, the_last_node_is_given)
{
    meet_in_pool(one_is_had, one_gives, other_takes);
    meet_in_pool(each_has_one, one_gives, other_gives);
    meet_in_pool(each_has_one, one_gives, other_takes);
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
    meet_in_pool(another_size_is_shown, one_takes, other_gives);
    meet_in_pool(another_size_is_shown, one_takes, other_takes_smallest);
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
    one.seeker = other.seeker = (struct rm_seeker){.takes = 0};
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
    meet_in_pool(one_is_idle, one_takes_slab, other_takes_slab);
    meet_in_pool(two_are_idle, one_takes_slab, other_takes_slab);
    meet_in_pool(one_is_idle, one_takes_slab, other_gives_slab);
    meet_in_pool(none_is_idle, one_takes_slab, other_gives_slab);
}

TEST_CASE(meeting, a_slab_is_given)
{
    meet_in_pool(none_is_idle, one_gives_slab, other_takes_slab);
    meet_in_pool(none_is_idle, one_gives_slab, other_gives_slab);
}

static unsigned longest_apart;

static void note_and_check(void)
{
    longest_apart = one.seeker.takes > longest_apart ? one.seeker.takes : longest_apart;
    check();
}

static void nothing_more(void)
{
}

/* Who finds that another was faster seeks elsewhere from then on; who has met nobody does not. */
TEST_CASE(meeting, who_meets_another_goes_apart)
{
    longest_apart = 0;
    prepare_more = nothing_more;
    meet(begin_and_prepare, one_takes, nothing_more, note_and_check);
    CHECK_EQ(longest_apart, 0u);
    meet(begin_and_prepare, one_takes, other_takes_slab, note_and_check);
    CHECK_EQ(longest_apart, 32u);
}

/* ---- chunks ---- */

enum { FULL_CHUNKS = 10, MANY = 100 };

static struct rm_extent *small_place; /* is of no use for the chunk that comes next */

/* No slab is idle, and the home's table has no place for the next chunk; so many of the next requests are refused. */
static void fill_table(unsigned refused)
{
    none_is_idle();
    for (unsigned i = 0; i < FULL_CHUNKS; i++) {
        take_slab(&other, rm_pool_take_slab(pool, 0));
        none_is_idle();
    }
    CHECK_EQ(rm_table_next(pool->tables), NULL);
    small_place = rm_table_claim(pool->tables, 1);
    CHECK_EQ(rm_load_relaxed(&pool->tables->unused), 0u);
    REQUIRE_LE(other.slabs, (unsigned)HELD - 64);
    refusals = refused;
}

static void table_is_full(void)
{
    fill_table(1);
}

static void table_is_full_and_memory_too(void)
{
    fill_table(MANY);
}

static void other_takes_all_of_a_chunk(void)
{
    unsigned before = refusals;

    refusals = 0;
    other_takes_slab();
    none_is_idle();
    refusals = before;
}

static unsigned tries, successes;
static bool has_large;

static void one_tries_and_tells(void)
{
    struct rm_slab *slab = rm_pool_take_slab(pool, 0);

    has_large = slab != NULL && rm_load_relaxed(&slab->extent->chunk_bytes) > RM_CHUNK_MIN_BYTES;
    take_slab(&one, slab);
}

static void note_and_check_full(void)
{
    rm_table_unclaim(small_place, 1);
    tries = MANY - refusals;
    successes += has_large;
    refusals = 0;
    check();
}

/* It is asked for once; but another thread may have made the table meanwhile: then a large chunk has a place. */
TEST_CASE(meeting, no_memory_for_a_table)
{
    successes = 0;
    prepare_more = table_is_full_and_memory_too;
    meet(begin_and_prepare, one_tries_and_tells, nothing_more, note_and_check_full);
    CHECK_EQ(tries, 2u, "for a large chunk, and for a small one");
    CHECK_EQ(successes, 0u);
    prepare_more = table_is_full;
    meet(begin_and_prepare, one_tries_and_tells, other_takes_all_of_a_chunk, note_and_check_full);
    CHECK_GT(successes, 0u);
}

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
    meet_in_pool(a_chunk_is_idle, one_trims, other_takes_slab);
    meet_in_pool(a_chunk_is_idle, one_trims, other_trims);
    meet_in_pool(a_chunk_is_idle, one_trims, other_changes_chunks);
    meet_in_pool(a_chunk_is_idle, one_takes_slab, other_trims);
    meet_in_pool(a_chunk_is_idle, one_gives_slab, other_trims);
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
