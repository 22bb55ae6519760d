// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof that the explorer would notice: each rule is broken on purpose (test/mutations/rules.h), and
 * must be caught in a scenario made for it. Then the schedule that was printed is replayed, and must
 * lead to the same fault; with the rule kept, it must lead to none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/shim/ctest.h"

enum { SYSTEMATIC = 20000, RANDOM = 4000000, ATTEMPTS_MAX = 64 };

static void must_catch(enum rm_rule rule, const char *scenario_name)
{
    static struct exploration exploration;
    const struct scenario *scenario = scenario_find(scenario_name);
    const char *fault;

    exploration =
        (struct exploration){.bound = 3, .systematic = SYSTEMATIC, .random = RANDOM, .broken = rule};
    explore(scenario, &exploration);
    REQUIRE(exploration.fault != NULL, "rule %d is broken, and %" PRIu64 " schedules of %s show nothing",
            (int)rule, exploration.schedules, scenario_name);
    printf("%s, schedule %" PRIu64 ": %s\n", scenario_name, exploration.schedules, exploration.text);
    fault = explore_replay(scenario, exploration.schedule, rule);
    REQUIRE(fault != NULL, "the replay shows nothing");
    CHECK_STR_EQ(fault, exploration.fault);
    fault = explore_replay(scenario, exploration.schedule, RM_NO_RULE);
    CHECK(fault == NULL, "the rule is kept: %s", fault);
}

#define CATCH(name, rule, scenario)                                                                          \
    TEST_CASE(mutation, name)                                                                                \
    {                                                                                                        \
        must_catch(rule, scenario);                                                                          \
    }

CATCH(r2_freeze, RM_R2_FREEZE, "store_and_leaf_updates")
CATCH(r2_freeze_below, RM_R2_FREEZE_BELOW, "store_over_two_subtrees")
CATCH(r2_top_down, RM_R2_TOP_DOWN, "store_below_store")
CATCH(r2_frozen_slot, RM_R2_FROZEN_SLOT, "store_and_leaf_updates")
CATCH(r3_span, RM_R3_SPAN, "overlapping_stores")
CATCH(r4_new_node, RM_R4_NEW_NODE, "snapshot_and_empty_leaves")
CATCH(r5_nothing, RM_R5_NOTHING, "carve_nothing_that_moves")
CATCH(r6_loser_retires_not, RM_R6_LOSER_RETIRES_NOT, "erase_and_replace")
CATCH(r6_loser_frees_own, RM_R6_LOSER_FREES_OWN, "erase_and_replace")
CATCH(r6_loser_discards, RM_R6_LOSER_DISCARDS, "split_and_split")
CATCH(r6_winner_retires, RM_R6_WINNER_RETIRES, "split_and_split")
CATCH(r6_unstaged_loser_retires_not, RM_R6_LOSER_RETIRES_NOT, "inserts_meet")
CATCH(r6_unstaged_loser_frees_own, RM_R6_LOSER_FREES_OWN, "inserts_meet")
CATCH(r6_unstaged_winner_retires, RM_R6_WINNER_RETIRES, "inserts_meet")
CATCH(r7_writer_stamps, RM_R7_WRITER_STAMPS, "snapshot_and_lookup")
CATCH(r7_lookup_stamps, RM_R7_LOOKUP_STAMPS, "snapshot_and_lookup")
CATCH(r7_batch_stamps, RM_R7_BATCH_STAMPS, "snapshot_and_batch")
CATCH(r7_deep_batch_stamps, RM_R7_BATCH_STAMPS, "snapshot_and_deep_batch")
CATCH(r7_walk_stamps, RM_R7_WALK_STAMPS, "snapshot_and_next")
CATCH(r7_update_stamps, RM_R7_UPDATE_STAMPS, "update_sees_unstamped")
CATCH(r7_freeze_stamps, RM_R7_FREEZE_STAMPS, "freeze_sees_unstamped")
CATCH(r7_stamp_late, RM_R7_STAMP_LATE, "snapshot_and_late_writer")
CATCH(r7_stamp_then_retire, RM_R7_STAMP_THEN_RETIRE, "reclaim_under_snapshots")
CATCH(r7_clock_moves, RM_R7_CLOCK_MOVES, "snapshot_and_store")
CATCH(prev_stamped, RM_PREV_STAMPED, "versions_of_one_stamp")
CATCH(prev_same_stamp, RM_PREV_SAME_STAMP, "versions_of_one_stamp")
CATCH(prev_settled, RM_PREV_SETTLED, "versions_and_reclamation")
CATCH(prev_then_retire, RM_PREV_THEN_RETIRE, "settled_before_retired")
CATCH(insert_checked, RM_INSERT_CHECKED, "insert_over_a_new_leaf")
CATCH(join_checked, RM_JOIN_CHECKED, "coalesce")
CATCH(join_leaf_checked, RM_JOIN_LEAF_CHECKED, "coalesce_in_a_leaf")
CATCH(load_checked, RM_LOAD_CHECKED, "load_over_empty_leaves")
CATCH(hit_checked, RM_HIT_CHECKED, "split_and_split")
CATCH(version_checked, RM_VERSION_CHECKED, "snapshot_and_store")
CATCH(query_settled, RM_QUERY_SETTLED, "next_over_moving_ranges")
CATCH(query_anew, RM_QUERY_ANEW, "gap_over_two_leaves")
CATCH(cursor_skips, RM_CURSOR_SKIPS, "cursor_over_merging_leaves")
CATCH(query_together, RM_QUERY_TOGETHER, "next_over_moving_ranges")
CATCH(query_frozen, RM_QUERY_FROZEN, "next_behind_a_frozen_leaf")
CATCH(query_snapshot, RM_QUERY_SNAPSHOT, "covered_over_many_leaves")
CATCH(gap_checked, RM_GAP_CHECKED, "gap_allocate")
CATCH(gap_snapshot, RM_GAP_SNAPSHOT, "gap_moves_back")
CATCH(gap_prev, RM_GAP_PREV, "gap_is_filled_meanwhile")
CATCH(gap_grows, RM_GAP_GROWS, "gap_grows_beside_a_longer_one")
CATCH(gap_filled, RM_GAP_FILLED, "gap_grows_beside_a_longer_one")
CATCH(g1_carve, RM_G1_CARVE, "carve_at_a_separator")
CATCH(g1_erase, RM_G1_ERASE, "erases_at_a_separator")
CATCH(g1_erase_again, RM_G1_ERASE_AGAIN, "erase_of_what_grows")
CATCH(g1_erase_checked, RM_G1_ERASE_CHECKED, "erase_at_a_separator")
CATCH(g1_right, RM_G1_RIGHT, "store_over_gaps")
CATCH(g1_wide_checked, RM_G1_WIDE_CHECKED, "evict_at_a_separator")
CATCH(g2_rewrite, RM_G2_LEAF, "gap_opens_in_a_rewrite")
CATCH(g2_leaf, RM_G2_LEAF, "gap_opens_in_a_leaf")
CATCH(g2_region, RM_G2_REGION, "gap_opens_in_a_region")
CATCH(g3_top_down, RM_G3_TOP_DOWN, "gap_opens_in_a_leaf")
CATCH(g4_frozen, RM_G4_FROZEN, "tightened_twice")
CATCH(g5_after_freeze, RM_G5_AFTER_FREEZE, "tightened_twice")
CATCH(g6_copies, RM_G6_COPIES, "tightened_twice")
CATCH(rewrite_freezes, RM_R2_FREEZE, "splice_over_two_subtrees")
CATCH(rewrite_freezes_below, RM_R2_FREEZE_BELOW, "update_and_update")
CATCH(rewrite_stamps, RM_R7_WRITER_STAMPS, "splice_of_everything")
CATCH(rewrite_peeks, RM_R5_NOTHING, "evict_nothing_that_moves")
CATCH(rewrite_loser_retires_not, RM_R6_LOSER_RETIRES_NOT, "splice_over_two_subtrees")
CATCH(rewrite_loser_discards, RM_R6_LOSER_DISCARDS, "splice_over_two_subtrees")
CATCH(rewrite_confirmed, RM_REWRITE_CONFIRMED, "carve_value_that_moves")
CATCH(rewrite_keeps, RM_REWRITE_KEEPS, "update_that_keeps")
CATCH(rewrite_owners, RM_REWRITE_OWNERS, "splice_that_cuts")
CATCH(window_checked, RM_WINDOW_CHECKED, "splice_if_free")
CATCH(window_looks_around, RM_WINDOW_LOOKS_AROUND, "splice_that_joins_leaves")
CATCH(gap_at_snapshot, RM_QUERY_SNAPSHOT, "overlap_last_and_gaps")
CATCH(section, RM_SECTION, "reclaim_under_readers")
CATCH(grace, RM_GRACE, "reclaim_under_readers")
CATCH(pool_empties, RM_POOL_EMPTIES, "slabs_change_hands")
CATCH(pool_claims, RM_POOL_CLAIMS, "slabs_change_hands")
CATCH(pool_shows, RM_POOL_SHOWS, "reservations_meet")
CATCH(claim, RM_CLAIM, "shards_under_pressure")
CATCH(poll_epoch, RM_POLL_EPOCH, "a_poller_is_overtaken")
CATCH(poll_epoch_two, RM_POLL_EPOCH, "a_poller_is_overtaken_by_two")
CATCH(poll_scan, RM_POLL_SCAN, "reclaim_under_readers")
CATCH(light_count, RM_LIGHT_COUNT, "pollers_and_a_light_reader")
CATCH(fence_section, RM_FENCE_SECTION, "fenced_reader")
CATCH(fence_again, RM_FENCE_AGAIN, "light_taken_meanwhile")
CATCH(fence_earned, RM_FENCE_EARNED, "reader_becomes_light")
CATCH(fence_heavy, RM_FENCE_HEAVY, "light_reader")
CATCH(fence_owed, RM_FENCE_OWED, "poller_is_refused")

/* No fault is found because no run ends: two updates undo each other's work for as long as the rule is broken. */
TEST_CASE(mutation, r1_fold)
{
    const struct scenario *scenario = scenario_find("split_under_a_root");
    const char *fault;
    unsigned attempts = explore_adversary(scenario, RM_NO_RULE, &fault);

    CHECK(fault == NULL, "with the rule kept: %s", fault);
    CHECK_LE(attempts, (unsigned)ATTEMPTS_MAX);
    printf("with the rule kept at most %u attempts are in vain, ", attempts);
    attempts = explore_adversary(scenario, RM_R1_FOLD, &fault);
    printf("else %u: %s\n", attempts, fault);
    REQUIRE(fault != NULL, "only %u attempts in vain", attempts);
    CHECK_GT(attempts, (unsigned)ATTEMPTS_MAX);
}
