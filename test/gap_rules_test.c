// SPDX-License-Identifier: BSD-2-Clause
/* What an erase does in a frozen region that changed after its way was chosen, as only another thread could make it. */
#include "rangemap/map/enter.h"
#include "rangemap/rangemap.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/gaps.h"
#include "test/shim/ctest.h"

enum { RANGES = 100, STEP = 10, WIDTH = 6 };

static void *word(uint64_t i)
{
    return (void *)(uintptr_t)(i + 1);
}

static struct rangemap *row(void)
{
    const struct rangemap_options options = {.track_gaps = true};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * STEP, i * STEP + WIDTH - 1, word(i), NULL), 0);
    }
    return map;
}

static enum rm_outcome inspect(struct rm_op op, uint64_t low, const struct rm_step *anchor)
{
    enum rm_outcome outcome = rm_gaps_inspect_erase(&op, low, anchor);
    uint64_t i = op.start / STEP;

    if (outcome == RM_DONE) {
        CHECK(op.found.start == i * STEP && op.found.last == i * STEP + WIDTH - 1 &&
              op.found.value == word(i));
    }
    return outcome;
}

/* Its way begins at `low`, the key before its range; if the range begins elsewhere by now, it is to try again. */
TEST_CASE(gap_rules, an_erase_goes_on_only_if_its_way_fits)
{
    struct rangemap *map = row();
    struct rm_path path;

    REQUIRE_EQ(rangemap_read_begin(map), 0);
    rm_path_descend(&path, map, 0, UINT64_MAX);
    REQUIRE_GT(rm_meta_level(path.step[0].meta), 0u);
    (void)rm_freeze_region(map, rm_step_node(&path.step[0]), 0, UINT64_MAX);
    for (uint64_t i = 1; i < RANGES; i++) {
        uint64_t start = i * STEP, last = start + WIDTH - 1;
        struct rm_op op = {.kind = RM_ERASE, .start = start + 2, .last = start + 2};
        struct rm_op exact = {.kind = RM_ERASE_EXACT, .start = start, .last = start, .end = last};
        struct rm_op other = exact;

        CHECK_EQ(inspect(op, start - 1, path.step), RM_DONE);
        CHECK_EQ(inspect(op, start - 2, path.step), RM_RETRY, "it began one key earlier");
        CHECK_EQ(inspect(op, start, path.step), RM_RETRY, "it began one key later");
        CHECK_EQ(inspect(op, 0, path.step), RM_RETRY);
        CHECK_EQ(inspect(exact, start - 1, path.step), RM_DONE);
        other.end = last - 1;
        CHECK_EQ(inspect(other, start - 1, path.step), RM_NOTHING);
        other = exact;
        other.kind = RM_ERASE_VALUE;
        other.expected = word(i);
        CHECK_EQ(inspect(other, start - 1, path.step), RM_DONE);
        other.expected = word(i + 1);
        CHECK_EQ(inspect(other, start - 1, path.step), RM_STALE);
        CHECK_EQ(inspect(other, start - 2, path.step), RM_STALE, "whatever its way");
        op.start = op.last = start + WIDTH;
        CHECK_EQ(inspect(op, start - 1, path.step), RM_NOTHING, "no range holds the key");
    }
    rangemap_read_end(map);
    CHECK_EQ(rangemap_destroy(map), 0);
}
