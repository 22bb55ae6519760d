// SPDX-License-Identifier: BSD-2-Clause
/* Every scenario under systematic and random schedules: none may go wrong. */
#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/shim/ctest.h"

#define EXPLORE(name)                                                                                        \
    TEST_CASE(explorer, name)                                                                                \
    {                                                                                                        \
        explore_test(scenario_find(#name));                                                                  \
    }

EXPLORE(split_and_split)
EXPLORE(split_of_a_full_tree)
EXPLORE(splits_at_three_levels)
EXPLORE(split_under_a_root)
EXPLORE(store_and_leaf_updates)
EXPLORE(store_over_two_subtrees)
EXPLORE(insert_over_a_new_leaf)
EXPLORE(insert_over_two_leaves)
EXPLORE(carve_nothing_that_moves)
EXPLORE(snapshot_and_late_writer)
EXPLORE(reused_and_unstamped)
EXPLORE(merged_and_unstamped)
EXPLORE(crossing_insert)
EXPLORE(crossing_inserts_meet)
EXPLORE(overlapping_stores)
EXPLORE(store_insert_erase)
EXPLORE(store_below_store)
EXPLORE(store_that_splits_values)
EXPLORE(values_gain_owners)
EXPLORE(carve_everything)
EXPLORE(carve_nothing)
EXPLORE(carve_what_moves)
EXPLORE(root_collapses_and_grows)
EXPLORE(leaves_merge)
EXPLORE(inner_nodes_merge)
EXPLORE(inner_nodes_merge_leftwards)
EXPLORE(erase_and_replace)
EXPLORE(snapshot_and_store)
EXPLORE(snapshot_and_lookup)
EXPLORE(snapshots_and_churn)
EXPLORE(snapshot_and_empty_leaves)
EXPLORE(update_sees_unstamped)
EXPLORE(freeze_sees_unstamped)
EXPLORE(next_and_previous)
EXPLORE(next_over_moving_ranges)
EXPLORE(covered_and_free)
EXPLORE(cursor_up_and_down)
EXPLORE(coalesce)
EXPLORE(gap_allocate)
EXPLORE(gap_from_the_top)
EXPLORE(load_and_insert)
EXPLORE(reclaim_under_readers)
EXPLORE(reclaim_under_snapshots)
EXPLORE(shards_under_pressure)
