// SPDX-License-Identifier: BSD-2-Clause
/* The errors of calls that rewrite a window. */
#include <errno.h>

#include "test/map_error.h"

static unsigned displacements;

static void count_displaced(const struct rangemap_entry *entry, void *context)
{
    (void)entry;
    (void)context;
    displacements++;
}

static int answer(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                  void *context)
{
    (void)whole;
    (void)value;
    return part->start >= 30 ? *(const int *)context : RANGEMAP_DROP; /* the second range has its own way */
}

static void bad_entry(struct rangemap *map, const struct rangemap_entry *entries, size_t count, size_t where)
{
    size_t bad = 77;
    const struct rangemap_rewrite how = {.bad = &bad};

    CHECK_EQ(rangemap_splice(map, 10, 50, entries, count, &how), -EINVAL);
    CHECK_EQ(bad, where);
    CHECK_EQ(rangemap_splice(map, 10, 50, entries, count, NULL), -EINVAL);
}

TEST_CASE(map_error, splice)
{
    struct rangemap *map = two_ranges();
    const struct rangemap_entry good = {40, 41, word(3)}, below = {9, 11, NULL}, above = {50, 51, NULL};
    const struct rangemap_entry turned = {12, 11, NULL}, touching[] = {{12, 13, NULL}, {13, 14, NULL}};
    const struct rangemap_entry unsorted[] = {{20, 21, NULL}, {15, 16, NULL}};
    const struct rangemap_entry stale[] = {{10, 19, word(1)}, {30, 39, word(9)}};
    struct rangemap_entry conflict = untouched;
    struct rangemap_rewrite how = {.displaced = count_displaced, .conflict = &conflict};

    displacements = 0;
    CHECK_EQ(rangemap_splice(NULL, 1, 2, NULL, 0, NULL), -EINVAL);
    CHECK_EQ(rangemap_splice(map, 2, 1, NULL, 0, NULL), -EINVAL);
    CHECK_EQ(rangemap_splice(map, 1, 50, NULL, 1, NULL), -EINVAL);
    bad_entry(map, &below, 1, 0);
    bad_entry(map, &above, 1, 0);
    bad_entry(map, &turned, 1, 0);
    bad_entry(map, touching, 2, 1);
    bad_entry(map, unsorted, 2, 1);
    how.whole = true;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -EINVAL);
    how.whole = false;
    how.gaps = true;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -EINVAL);
    how.gaps = false;
    how.expected_count = 1;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -EINVAL);
    how.if_same = true;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -EINVAL);
    how.expected = stale;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -ESTALE);
    how.expected_count = 2;
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -ESTALE);
    how = (struct rangemap_rewrite){.if_same = true, .displaced = count_displaced, .conflict = &conflict};
    CHECK_EQ(rangemap_splice(map, 1, 50, &good, 1, &how), -ESTALE);
    CHECK(is_untouched(&conflict));
    CHECK_EQ(displacements, 0u);
    how = (struct rangemap_rewrite){.if_free = true, .displaced = count_displaced, .conflict = &conflict};
    CHECK_EQ(rangemap_splice(map, 35, 50, &good, 1, &how), -EEXIST);
    CHECK_EQ(conflict.start, 30u);
    CHECK_EQ(displacements, 0u);
    finish(map);
}

TEST_CASE(map_error, update)
{
    static const int refusal[] = {-EACCES, -1, RANGEMAP_SET + 1, 1000};
    struct rangemap *map = two_ranges();
    struct rangemap_entry conflict = untouched;
    struct rangemap_rewrite how = {.displaced = count_displaced, .conflict = &conflict};
    int verdict = RANGEMAP_DROP;

    displacements = 0;
    CHECK_EQ(rangemap_update(NULL, 1, 2, answer, &verdict, NULL), -EINVAL);
    CHECK_EQ(rangemap_update(map, 2, 1, answer, &verdict, NULL), -EINVAL);
    CHECK_EQ(rangemap_update(map, 1, 2, NULL, NULL, NULL), -EINVAL);
    for (unsigned i = 0; i < sizeof refusal / sizeof refusal[0]; i++) {
        verdict = refusal[i];
        CHECK_EQ(rangemap_update(map, 0, 50, answer, &verdict, &how), verdict < 0 ? verdict : -EINVAL);
    }
    how.gaps = true;
    CHECK_EQ(rangemap_update(map, 50, 60, answer, &verdict, &how), -EINVAL);
    how.if_free = true;
    CHECK_EQ(rangemap_update(map, 0, 50, answer, &verdict, &how), -EEXIST);
    CHECK_EQ(conflict.start, 10u);
    conflict = untouched;
    verdict = -EEXIST;
    CHECK_EQ(rangemap_update(map, 50, 60, answer, &verdict, &how), -EEXIST, "of a gap");
    CHECK(is_untouched(&conflict), "there is no range");
    CHECK_EQ(displacements, 0u);
    finish(map);
}

TEST_CASE(map_error, other_windows)
{
    struct rangemap *map = two_ranges();
    struct rangemap_snapshot snapshot, ended = {0};
    struct rangemap_entry conflict = untouched;
    void *actual = word(77);

    CHECK_EQ(rangemap_erase_value(NULL, 1, 2, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_erase_value(map, 2, 1, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_erase_value(map, 10, 18, word(1), &actual), -ENOENT);
    CHECK_EQ(rangemap_erase_value(map, 20, 20, word(1), &actual), -ENOENT);
    CHECK_EQ(actual, word(77));
    CHECK_EQ(rangemap_erase_value(map, 10, 19, word(2), &actual), -ESTALE);
    CHECK_EQ(actual, word(1));
    CHECK_EQ(rangemap_carve_value(NULL, 1, 2, NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_carve_value(map, 2, 1, NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_carve_value(map, 0, 50, word(3), NULL, NULL), 0);
    CHECK_EQ(rangemap_evict(NULL, 1, 2, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_evict(map, 2, 1, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_evict(map, 20, 29, NULL, NULL), 0);
    CHECK_EQ(rangemap_resize(NULL, 10, 19, 10, 12, NULL), -EINVAL);
    CHECK_EQ(rangemap_resize(map, 19, 10, 10, 12, NULL), -EINVAL);
    CHECK_EQ(rangemap_resize(map, 10, 19, 12, 11, NULL), -EINVAL);
    CHECK_EQ(rangemap_resize(map, 10, 19, 20, 25, NULL), -EINVAL);
    CHECK_EQ(rangemap_resize(map, 10, 19, 1, 9, NULL), -EINVAL);
    CHECK_EQ(rangemap_resize(map, 10, 18, 10, 17, &conflict), -ENOENT);
    CHECK(is_untouched(&conflict));
    CHECK_EQ(rangemap_resize(map, 10, 19, 5, 30, &conflict), -EEXIST);
    CHECK_EQ(conflict.start, 30u);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    CHECK_EQ(rangemap_clone(NULL, &snapshot, 1, 2, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_clone(map, NULL, 1, 2, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_clone(map, &ended, 1, 2, NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_clone(map, &snapshot, 2, 1, NULL, NULL), -EINVAL);
    rangemap_snapshot_end(&snapshot);
    finish(map);
}
