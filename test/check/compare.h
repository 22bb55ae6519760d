// SPDX-License-Identifier: BSD-2-Clause
/* Reads whole maps and compares them with what they should hold. Failures leave the test (REQUIRE). */
#ifndef TEST_CHECK_COMPARE_H
#define TEST_CHECK_COMPARE_H

#include "rangemap/rangemap.h"
#include "test/oracle/entry_list.h"

/* Replaces `list` by the ranges that share a key with [start, last], read upwards with a cursor. */
void collect(const struct rangemap *map, uint64_t start, uint64_t last, struct entry_list *list);

/* The same read downwards, and then turned round. */
void collect_downwards(const struct rangemap *map, uint64_t start, uint64_t last, struct entry_list *list);

/* The ranges of the snapshot. */
void collect_snapshot(const struct rangemap_snapshot *snapshot, struct entry_list *list);

/* Every invariant of the map's structure holds. */
void require_valid(const struct rangemap *map, const char *when);

/* Two lists are equal; else the first difference is shown. */
void require_same_list(const struct entry_list *got, const struct entry_list *wanted, const char *when);

/*
 * The map is valid and holds exactly the ranges of `wanted`: by cursors in both directions, by its first and
 * last range, by its statistics, and by a lookup at both ends of each range.
 */
void require_same_map(const struct rangemap *map, const struct entry_list *wanted, const char *when);

#endif
