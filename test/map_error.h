// SPDX-License-Identifier: BSD-2-Clause
/* A map for calls that fail, and that they have changed nothing. */
#ifndef RANGEMAP_TEST_MAP_ERROR_H
#define RANGEMAP_TEST_MAP_ERROR_H

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/shim/ctest.h"

static const struct rangemap_entry untouched = {0x1111, 0x2222, (void *)0x3333};

static inline bool is_untouched(const struct rangemap_entry *entry)
{
    return entry_equal(entry, &untouched);
}

static inline void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* A map that holds 10..19 (value 1) and 30..39 (value 2). */
static inline struct rangemap *two_ranges(void)
{
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    REQUIRE_EQ(rangemap_insert(map, 10, 19, word(1), NULL), 0);
    REQUIRE_EQ(rangemap_insert(map, 30, 39, word(2), NULL), 0);
    return map;
}

/* That it still does; destroys it. */
static inline void finish(struct rangemap *map)
{
    struct rangemap_entry entry[] = {{10, 19, word(1)}, {30, 39, word(2)}};
    struct entry_list wanted = {entry, 2, 2};

    require_same_map(map, &wanted, "after failed calls");
    CHECK_EQ(rangemap_destroy(map), 0);
}

#endif
