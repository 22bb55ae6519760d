// SPDX-License-Identifier: BSD-2-Clause
/*
 * With three ranges to a leaf and three children to an inner node, LOAD(3) is one full leaf, LOAD(9) two full
 * levels, and LOAD(12) has three levels: [0, 1] [4, 5] ... [44, 45], with values from 100 on.
 */
#include "test/explorer/scenarios.h"

#include <string.h>

#include "test/shim/ctest.h"

/* A step leaves off the fields at its end that are zero; a table would be unreadable otherwise. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* clang-format off */
#define LOAD(n) {DO_LOAD, 0, 0, 100, 0, n, false}
#define ALL 0, 60

static const struct scenario scenarios[] = {
    {"split_and_split", .before = {LOAD(3)},
     .thread = {{{DO_INSERT, 2, 2, 1}}, {{DO_INSERT, 6, 6, 2}}, {{DO_FIND, 2}, {DO_FIND, 6}}}},
    {"split_of_a_full_tree", .before = {LOAD(9)},
     .thread = {{{DO_INSERT, 2, 2, 1}, {DO_INSERT, 3, 3, 2}}, {{DO_INSERT, 34, 34, 3}, {DO_FIND, 2}}}},
    {"splits_at_three_levels", .before = {LOAD(12)},
     .thread = {{{DO_INSERT, 2, 2, 1}, {DO_INSERT, 3, 3, 2}}, {{DO_INSERT, 6, 6, 3}, {DO_INSERT, 7, 7, 4}},
                {{DO_BATCH, 2, 6}}}},
    {"split_under_a_root", .before = {LOAD(6)}, .thread = {{{DO_INSERT, 2, 2, 1}}, {{DO_INSERT, 6, 6, 2}}}},
    {"store_and_leaf_updates", .before = {LOAD(9)},
     .thread = {{{DO_STORE, 3, 14, 1}}, {{DO_REPLACE, 8, 9, 2, 102}, {DO_ERASE, 16}}, {{DO_REPLACE, 16, 17, 3, 104}, {DO_FIND, 4}}}},
    {"store_over_two_subtrees", .before = {LOAD(12)},
     .thread = {{{DO_STORE, 14, 30, 1}}, {{DO_REPLACE, 16, 17, 2, 104}, {DO_ERASE, 20}}, {{DO_ERASE, 32}, {DO_FIND, 32}}}},
    {"insert_over_a_new_leaf", .before = {LOAD(12), {DO_ERASE, 20}, {DO_ERASE, 24}},
     .thread = {{{DO_INSERT, 18, 26, 1}}, {{DO_INSERT, 18, 18, 2}, {DO_INSERT, 19, 19, 3}, {DO_ERASE, 18}}}},
    {"insert_over_two_leaves", .before = {LOAD(12), {DO_ERASE, 20}, {DO_ERASE, 24}},
     .thread = {{{DO_INSERT, 19, 26, 1}}, {{DO_INSERT, 22, 24, 2}, {DO_ERASE, 22}}, {{DO_INSERT, 20, 20, 3}, {DO_ERASE, 16}}}},
    {"carve_nothing_that_moves", .before = {LOAD(9), {DO_ERASE, 8}, {DO_ERASE, 12}},
     .thread = {{{DO_CARVE, 6, 18}}, {{DO_INSERT, 8, 8, 2}, {DO_ERASE, 16}}, {{DO_FIND, 8}}}},
    {"snapshot_and_late_writer", .before = {LOAD(9), {DO_ERASE, 4}, {DO_ERASE, 28}},
     .thread = {{{DO_SNAPSHOT_AT, 2, 30}}, {{DO_INSERT, 2, 2, 1}, {DO_LOOKUP, 30}}, {{DO_INSERT, 30, 30, 2}}}},
    {"reused_and_unstamped", .before = {LOAD(9)},
     .thread = {{{DO_STORE, 4, 5, 1}}, {{DO_CARVE, 17, 29}, {DO_SNAPSHOT_AT, 4, 24}}, {{DO_SNAPSHOT_AT, 4, 24}, {DO_LOOKUP, 4}}}},
    {"merged_and_unstamped", .before = {LOAD(9), {DO_CARVE, 0, 5}, {DO_CARVE, 14, 21}},
     .thread = {{{DO_STORE, 8, 9, 1}}, {{DO_ERASE, 12}, {DO_SNAPSHOT_AT, 8, 12}}, {{DO_SNAPSHOT_AT, 8, 12}, {DO_LOOKUP, 8}}}},
    {"crossing_insert", .before = {LOAD(12), {DO_CARVE, 8, 34}},
     .thread = {{{DO_INSERT, 7, 35, 1}}, {{DO_INSERT, 10, 11, 2}, {DO_FIND, 10}}, {{DO_INSERT, 30, 30, 3}}}},
    {"crossing_inserts_meet", .before = {LOAD(12), {DO_CARVE, 8, 34}},
     .thread = {{{DO_INSERT, 7, 20, 1}}, {{DO_INSERT, 20, 35, 2}}, {{DO_SNAPSHOT, ALL}}}},
    {"overlapping_stores", .before = {LOAD(12)},
     .thread = {{{DO_STORE, 3, 26, 1}}, {{DO_STORE, 17, 38, 2}}, {{DO_FIND, 20}, {DO_FIND, 4}}}},
    {"store_insert_erase", .before = {LOAD(12)}, .keeps = true,
     .thread = {{{DO_STORE, 5, 32, 1}}, {{DO_INSERT, 14, 14, 2}, {DO_ERASE, 14}}, {{DO_ERASE, 9}}}},
    {"store_below_store", .before = {LOAD(12)}, .keeps = true,
     .thread = {{{DO_STORE, 0, 45, 1}}, {{DO_STORE, 6, 10, 2}}, {{DO_INSERT, 22, 23, 3}}}},
    {"store_that_splits_values", .splits = true, .before = {{DO_INSERT, 0, 40, 1}, {DO_INSERT, 44, 50, 2}},
     .thread = {{{DO_STORE, 10, 12, 3}}, {{DO_CARVE, 20, 46}}, {{DO_FIND, 15}, {DO_FIND, 30}}}},
    {"values_gain_owners", .before = {{DO_INSERT, 0, 40, 1}, {DO_INSERT, 44, 50, 2}},
     .thread = {{{DO_CARVE, 10, 12}}, {{DO_STORE, 20, 46, 3}}, {{DO_CARVE, 5, 30}}}},
    {"carve_everything", .before = {LOAD(12)},
     .thread = {{{DO_CARVE, ALL}}, {{DO_INSERT, 2, 2, 1}, {DO_LOOKUP, 2}}, {{DO_INSERT, 22, 22, 2}, {DO_LOOKUP, 22}}}},
    {"carve_nothing", .before = {LOAD(12), {DO_CARVE, 8, 35}, {DO_INSERT, 20, 20, 1}, {DO_ERASE, 20}},
     .thread = {{{DO_CARVE, 6, 38}}, {{DO_INSERT, 8, 8, 2}, {DO_INSERT, 30, 30, 3}, {DO_ERASE, 8}}}},
    {"carve_what_moves", .before = {LOAD(12)},
     .thread = {{{DO_CARVE, 6, 18}}, {{DO_ERASE, 16}, {DO_ERASE, 12}, {DO_INSERT, 7, 7, 2}, {DO_ERASE, 8}}}},
    {"root_collapses_and_grows", .before = {LOAD(9), {DO_CARVE, 8, 60}}, .keeps = true,
     .thread = {{{DO_ERASE, 0}, {DO_ERASE, 4}}, {{DO_INSERT, 8, 8, 1}, {DO_INSERT, 9, 9, 2}}, {{DO_FIRST}, {DO_LAST}}}},
    {"leaves_merge", .before = {LOAD(12)},
     .thread = {{{DO_ERASE, 0}, {DO_ERASE, 4}, {DO_ERASE, 8}}, {{DO_ERASE, 12}, {DO_INSERT, 2, 2, 1}}, {{DO_NEXT, 0}}}},
    {"inner_nodes_merge", .before = {LOAD(22), {DO_CARVE, 44, 75}}, .keeps = true,
     .thread = {{{DO_CARVE, 76, 81}}, {{DO_STORE, 40, 42, 1}}, {{DO_INSERT, 50, 50, 2}}}},
    {"inner_nodes_merge_leftwards", .before = {LOAD(22), {DO_CARVE, 8, 40}},
     .thread = {{{DO_CARVE, 44, 70}}, {{DO_ERASE, 0}, {DO_INSERT, 2, 3, 1}}, {{DO_SNAPSHOT, 0, 100}}}},
    {"erase_and_replace", .before = {LOAD(3)},
     .thread = {{{DO_ERASE_EXACT, 4, 5}, {DO_REPLACE, 0, 1, 7, 100}}, {{DO_REPLACE, 4, 5, 8, 101}, {DO_LOOKUP, 4}},
                {{DO_STORE, 4, 5, 9}, {DO_REPLACE, 0, 1, 6, 100}}}},
    {"snapshot_and_store", .before = {LOAD(12)},
     .thread = {{{DO_SNAPSHOT, ALL}}, {{DO_STORE, 5, 20, 1}}, {{DO_INSERT, 2, 2, 2}, {DO_INSERT, 38, 38, 3}}}},
    {"snapshot_and_lookup", .before = {LOAD(9)},
     .thread = {{{DO_SNAPSHOT_AT, 2, 30}}, {{DO_INSERT, 2, 2, 1}, {DO_INSERT, 30, 30, 2}}, {{DO_LOOKUP, 30}, {DO_SNAPSHOT, ALL}}}},
    {"snapshots_and_churn", .before = {LOAD(9)},
     .thread = {{{DO_SNAPSHOT, ALL}, {DO_SNAPSHOT, ALL}}, {{DO_CARVE, 8, 17}, {DO_INSERT, 7, 18, 1}, {DO_CARVE, ALL}},
                {{DO_INSERT, 10, 11, 2}, {DO_LOOKUP, 10}}}},
    {"snapshot_and_empty_leaves", .before = {{DO_INSERT, 0, 0, 1}, {DO_ERASE, 0}},
     .thread = {{{DO_SNAPSHOT, ALL}, {DO_SNAPSHOT, ALL}}, {{DO_INSERT, 0, 0, 2}, {DO_ERASE, 0}, {DO_INSERT, 4, 4, 3}, {DO_ERASE, 4}},
                {{DO_LOOKUP, 0}, {DO_SNAPSHOT, ALL}}}},
    {"snapshot_and_batch", .before = {LOAD(9)},
     .thread = {{{DO_INSERT, 30, 30, 1}}, {{DO_BATCH, 2, 30}, {DO_SNAPSHOT_AT, 2, 30}}, {{DO_INSERT, 2, 2, 2}}}},
    {"snapshot_and_next", .before = {LOAD(9)},
     .thread = {{{DO_INSERT, 30, 30, 1}}, {{DO_NEXT, 29}, {DO_SNAPSHOT_AT, 2, 30}}, {{DO_INSERT, 2, 2, 2}}}},
    {"update_sees_unstamped", .before = {LOAD(3)},
     .thread = {{{DO_STORE, 4, 5, 1}}, {{DO_INSERT, 4, 4, 2}, {DO_SNAPSHOT, ALL}}}},
    {"freeze_sees_unstamped", .before = {LOAD(6), {DO_ERASE, 12}, {DO_ERASE, 20}},
     .thread = {{{DO_STORE, 16, 16, 1}}, {{DO_ERASE_EXACT, 16, 17}, {DO_SNAPSHOT, ALL}}}},
    {"next_and_previous", .before = {LOAD(9)},
     .thread = {{{DO_NEXT, 5}, {DO_PREVIOUS, 28}}, {{DO_CARVE, 8, 30}, {DO_INSERT, 20, 20, 1}}, {{DO_STORE, 12, 26, 2}}}},
    {"next_over_moving_ranges", .before = {LOAD(9), {DO_CARVE, 8, 30}, {DO_INSERT, 14, 14, 1}},
     .thread = {{{DO_NEXT, 5}, {DO_PREVIOUS, 32}}, {{DO_INSERT, 26, 26, 2}, {DO_ERASE, 14}, {DO_INSERT, 10, 10, 3}, {DO_ERASE, 26}}}},
    {"covered_and_free", .before = {{DO_INSERT, 0, 9, 1}, {DO_INSERT, 10, 19, 2}, {DO_INSERT, 20, 29, 3}, {DO_INSERT, 30, 39, 4}},
     .thread = {{{DO_IS_COVERED, 0, 39}, {DO_IS_FREE, 5, 35}, {DO_OVERLAP, 12, 33}}, {{DO_CARVE, 5, 9}, {DO_STORE, 5, 9, 5}, {DO_CARVE, 25, 36}}}},
    {"cursor_up_and_down", .before = {LOAD(9)},
     .thread = {{{DO_CURSOR, ALL}}, {{DO_CURSOR, 6, 60, .downwards = true}}, {{DO_STORE, 9, 21, 1}, {DO_INSERT, 2, 2, 2}}}},
    {"cursor_over_merging_leaves", .before = {LOAD(9)},
     .thread = {{{DO_CURSOR, ALL}}, {{DO_CURSOR, ALL, .downwards = true}}, {{DO_CARVE, 12, 21}, {DO_INSERT, 14, 14, 1}}}},
    {"coalesce_in_a_leaf", .before = {{DO_INSERT, 0, 3, 7}, {DO_INSERT, 4, 7, 7}, {DO_INSERT, 12, 15, 8}},
     .thread = {{{DO_COALESCE, 0, 19}}, {{DO_REPLACE, 4, 7, 9, 7}}, {{DO_FIND, 5}}}},
    {"coalesce", .before = {{DO_INSERT, 0, 3, 7}, {DO_INSERT, 4, 7, 7}, {DO_INSERT, 8, 11, 7}, {DO_INSERT, 12, 15, 7}, {DO_INSERT, 16, 19, 8}},
     .thread = {{{DO_COALESCE, 0, 19}}, {{DO_STORE, 5, 6, 9}}, {{DO_REPLACE, 12, 15, 10, 7}}}},
    {"gap_allocate", .before = {LOAD(9)},
     .thread = {{{DO_GAP_ALLOCATE, 0, 21, 1, .number = 2}, {DO_GAP_ALLOCATE, 0, 21, 2, .number = 2}},
                {{DO_GAP_ALLOCATE, 0, 21, 3, .number = 2}, {DO_GAP_FIND, 0, 60, .number = 3}}, {{DO_CARVE, 8, 10}}}},
    {"gap_from_the_top", .before = {LOAD(9)},
     .thread = {{{DO_GAP_ALLOCATE, 4, 15, 1, .number = 2, .downwards = true}},
                {{DO_GAP_ALLOCATE, 4, 15, 2, .number = 2, .downwards = true}}, {{DO_ERASE, 8}, {DO_GAP_FIND, 4, 15, .number = 4}}}},
    {"gap_over_two_leaves", .before = {{DO_INSERT, 0, 3, 1}, {DO_INSERT, 4, 7, 2}, {DO_INSERT, 8, 11, 3}, {DO_INSERT, 12, 15, 4}, {DO_INSERT, 20, 23, 5}},
     .thread = {{{DO_GAP_FIND, 0, 60, .number = 4}}, {{DO_ERASE, 0}, {DO_INSERT, 16, 19, 6}}}},
    {"load_over_empty_leaves", .before = {LOAD(12), {DO_CARVE, 12, 21}, {DO_CARVE, 36, 45}, {DO_CARVE, 0, 9}, {DO_CARVE, 24, 33}},
     .thread = {{LOAD(6)}, {{DO_INSERT, 2, 2, 1}}, {{DO_INSERT, 40, 40, 2}, {DO_ERASE, 40}}}},
    {"load_and_insert",
     .thread = {{LOAD(6)}, {{DO_INSERT, 2, 2, 1}, {DO_ERASE, 2}}, {{DO_SNAPSHOT, ALL}}}},
    {"reclaim_under_readers", .before = {LOAD(9)},
     .thread = {{{DO_STORE, 4, 5, 1}, {DO_STORE, 4, 5, 2}, {DO_STORE, 4, 5, 3}, {DO_STORE, 4, 5, 4}},
                {{DO_FIND, 4}, {DO_SNAPSHOT, 0, 30}}, {{DO_POLL}, {DO_POLL}, {DO_POLL}}}},
    {"reclaim_under_snapshots", .before = {LOAD(3)}, .keeps = true,
     .thread = {{{DO_CARVE, 4, 5}}, {{DO_POLL}, {DO_POLL}, {DO_POLL}, {DO_POLL}}, {{DO_SNAPSHOT, ALL}}}},
    {"shards_under_pressure", .before = {LOAD(9)}, .keeps = true,
     .thread = {{{DO_CARVE, 4, 13}, {DO_POLL}, {DO_POLL}}, {{DO_CARVE, 20, 30}, {DO_POLL}, {DO_POLL}}, {{DO_POLL}, {DO_POLL}, {DO_POLL}}}},
    {"fenced_reader", .buffers = true, .before = {LOAD(3)}, .keeps = true,
     .thread = {{{DO_FIND, 4}, {DO_FIND, 4}}, {{DO_STORE, 4, 5, 1}, {DO_POLL}, {DO_STORE, 4, 5, 2}, {DO_POLL}}}},
    {"light_reader", .buffers = true, .light = SCENARIO_LIGHT, .before = {LOAD(3)}, .keeps = true,
     .thread = {{{DO_FIND, 4}, {DO_FIND, 4}}, {{DO_STORE, 4, 5, 1}, {DO_POLL}, {DO_STORE, 4, 5, 2}, {DO_POLL}}}},
    {"light_taken_meanwhile", .buffers = true, .light = SCENARIO_LIGHT, .before = {LOAD(3), {DO_STORE, 4, 5, 8}, {DO_STORE, 4, 5, 9}}, .keeps = true,
     .thread = {{{DO_FIND, 4}}, {{DO_POLL}, {DO_STORE, 4, 5, 1}, {DO_POLL}}}},
    {"reader_becomes_light", .buffers = true, .light = SCENARIO_EARNS, .before = {LOAD(3)}, .keeps = true,
     .thread = {{{DO_FIND, 4}, {DO_FIND, 4}}, {{DO_STORE, 4, 5, 1}, {DO_POLL}}}},
    {"poller_is_refused", .buffers = true, .light = SCENARIO_LIGHT, .refuses = true, .before = {LOAD(3)}, .keeps = true,
     .thread = {{{DO_FIND, 4}, {DO_FIND, 4}}, {{DO_STORE, 4, 5, 1}, {DO_POLL}, {DO_POLL}}}},
    {"light_readers_and_pollers", .buffers = true, .light = SCENARIO_LIGHT, .before = {LOAD(9)}, .keeps = true,
     .thread = {{{DO_STORE, 4, 5, 1}, {DO_POLL}, {DO_POLL}}, {{DO_STORE, 16, 17, 2}, {DO_POLL}, {DO_FIND, 4}}, {{DO_FIND, 4}, {DO_SNAPSHOT_AT, 4, 16}}}},
};
/* clang-format on */

const struct scenario *scenario_find(const char *name)
{
    unsigned i = 0, count = sizeof scenarios / sizeof scenarios[0];

    while (i < count && strcmp(scenarios[i].name, name) != 0) {
        i++;
    }
    REQUIRE_LT(i, count, "%s", name);
    return &scenarios[i];
}

const struct scenario *scenario_at(unsigned index)
{
    return index < sizeof scenarios / sizeof scenarios[0] ? &scenarios[index] : NULL;
}
