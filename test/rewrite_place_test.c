// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where updates of windows take hold of the tree: as far down as what they put has room; and one that frees the first
 * keys of a leaf one leaf further left, unless another update has made that wrong meanwhile.
 */
#include <errno.h>

#include "rangemap/map/window.h"
#include "rangemap/rangemap.h"
#include "rangemap/tree/path.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { RANGES = 20000, PUTS_MAX = 500, SPLICES = 400 };

/* ---- the lowest node with room ---- */

/* The step that is to be replaced: the leaf, if all fits it, or a node with room for its share of what is put. */
static unsigned place_of(const struct rm_path *path, unsigned puts)
{
    unsigned at = path->last;
    uint64_t share = puts;

    if (rm_meta_count(path->step[at].meta) + puts <= RM_LEAF_MAX) {
        return at;
    }
    share /= RM_LEAF_MAX;
    for (at--; at > 0; at--) {
        unsigned count = rm_meta_count(path->step[at].meta);

        if (count > RM_INNER_MIN && count + share + 2 <= RM_INNER_MAX) {
            break;
        }
        share /= RM_INNER_MAX;
    }
    return at;
}

static void splice_and_compare(struct rangemap *map, uint64_t key, unsigned puts, unsigned *seen)
{
    static struct rangemap_entry entries[PUTS_MAX];
    struct rm_path before, after;
    unsigned place;

    for (unsigned i = 0; i < puts; i++) {
        entries[i].start = entries[i].last = key + i;
    }
    rm_path_descend(&before, map, key, key + PUTS_MAX);
    if (rm_meta_level(before.step[before.last].meta) > 0 ||
        rangemap_overlap(map, key - 1, key + PUTS_MAX, NULL) != -ENOENT) {
        return;
    }
    place = place_of(&before, puts);
    REQUIRE_EQ(rangemap_splice(map, key, key + PUTS_MAX, entries, puts, NULL), 0);
    rm_path_descend(&after, map, key, key);
    for (unsigned i = 0; i <= place; i++) {
        REQUIRE_EQ(rm_step_node(&before.step[i]) != rm_step_node(&after.step[i]), i == place,
                   "%u ranges: step %u of %u, %u is to be replaced", puts, i, before.last, place);
    }
    seen[before.last - place]++;
}

TEST_CASE(rewrite_place, as_far_down_as_there_is_room)
{
    struct prng random = prng_stream(test_seed(), 1);
    unsigned seen[RM_HEIGHT_MAX + 1] = {0};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (unsigned i = 0; i < RANGES; i++) {
        uint64_t key = prng_next(&random) | 1;

        REQUIRE_EQ(rangemap_store(map, key, key, NULL, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_read_begin(map), 0); /* no address is used twice */
    for (unsigned i = 0; i < SPLICES; i++) {
        uint64_t key = prng_between(&random, 1, UINT64_MAX - 2 * PUTS_MAX);

        splice_and_compare(map, key, (unsigned)prng_between(&random, 1, PUTS_MAX >> prng_below(&random, 6)),
                           seen);
    }
    rangemap_read_end(map);
    for (unsigned above = 0; above < 4; above++) {
        CHECK_GT(seen[above], 10u, "%u levels above the leaf", above);
    }
    CHECK_EQ(rangemap_validate(map, NULL, 0), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- one leaf further left ---- */

static struct {
    struct rangemap *map;
    uint64_t first, last,
        new_last; /* the first range of the leaf, and how far it reaches after the first attempt */
    unsigned attempts;
} meanwhile;

static void resize_first(unsigned index, void *context)
{
    (void)index;
    (void)context;
    REQUIRE_EQ(rangemap_resize(meanwhile.map, meanwhile.first, meanwhile.last, meanwhile.first,
                               meanwhile.new_last, NULL),
               0);
}

/* An attempt has read what is there. */
static bool finish_and_let_go(void *state, struct rm_sink *sink)
{
    if (meanwhile.attempts++ == 0) {
        crew_run(1, resize_first, NULL);
    }
    return rm_window_composer.finish(state, sink);
}

static void begin(void *state)
{
    rm_window_composer.begin(state);
}

static bool visit(void *state, struct rm_sink *sink, const struct rangemap_entry *entries, unsigned count)
{
    return rm_window_composer.visit(state, sink, entries, count);
}

/* Evicts what shares a key with the window; runs as rangemap_evict() does. */
static void evict(uint64_t start, uint64_t last)
{
    static const struct rm_composer composer = {begin, visit, finish_and_let_go};
    struct rm_window window = {.start = start, .last = last, .evicts = true};
    const struct rm_rewrite rewrite = {.map = meanwhile.map,
                                       .start = start,
                                       .last = last,
                                       .peek = RM_PEEK_HELD,
                                       .composer = &composer,
                                       .state = &window};

    meanwhile.attempts = 0;
    REQUIRE_EQ(rm_window_rewrite(&rewrite, &window.error), 0);
}

/*
 * The first range of a leaf, [first, first + 9], is to go with the second one, so its leaf is taken with the one to the
 * left. By then it ends at `new_last`: before the window, and then it stays; or within.
 */
static void evict_while_resized(uint64_t new_length)
{
    const struct rangemap_options options = {.track_gaps = true};
    struct rm_path path;
    bool stays = new_length <= 5;
    unsigned step;

    REQUIRE_EQ(rangemap_create(&options, &meanwhile.map), 0);
    for (uint64_t i = 0; i < 200; i++) {
        REQUIRE_EQ(rangemap_insert(meanwhile.map, i * 20, i * 20 + 9, NULL, NULL), 0);
    }
    rm_path_descend(&path, meanwhile.map, 2000, 2000);
    step = path.last;
    meanwhile.first = rm_path_span(&path, &path.step[step]).low;
    meanwhile.last = meanwhile.first + 9;
    meanwhile.new_last = meanwhile.first + new_length - 1;
    evict(meanwhile.first + 5, meanwhile.first + 20);
    CHECK_GE(meanwhile.attempts, 2u);
    CHECK_EQ(rangemap_lookup(meanwhile.map, meanwhile.first, NULL), stays ? 0 : -ENOENT, "length %u",
             (unsigned)new_length);
    CHECK_EQ(rangemap_lookup(meanwhile.map, meanwhile.first + 20, NULL), -ENOENT);
    CHECK_EQ(rangemap_lookup(meanwhile.map, meanwhile.first + 40, NULL), 0);
    CHECK_EQ(rangemap_lookup(meanwhile.map, meanwhile.first - 20, NULL), 0);
    require_valid(meanwhile.map, "after an eviction");
    CHECK_EQ(rangemap_destroy(meanwhile.map), 0);
}

TEST_CASE(rewrite_place, one_leaf_further_left_while_that_is_right)
{
    for (uint64_t length = 1; length <= 12; length++) {
        evict_while_resized(length);
    }
}
