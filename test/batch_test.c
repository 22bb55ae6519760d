// SPDX-License-Identifier: BSD-2-Clause
/* Lookups and batches of each kernel: maps of every height, keys on both sides of each range, every wanted answer. */
#include <errno.h>
#include <string.h>

#include "rangemap/kernel/kernel.h"
#include "rangemap/rangemap.h"
#include "test/check/kernels.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { STRIDE = 10, LENGTH = 6 };

static struct rangemap *map;
static uint64_t ranges;

/* Range i is [10 i + 3, 10 i + 8], and holds i + 1. */
static bool expected(uint64_t key, struct rangemap_entry *entry)
{
    uint64_t i = key / STRIDE;

    if (i >= ranges || key % STRIDE < 3 || key % STRIDE >= 3 + LENGTH) {
        *entry = (struct rangemap_entry){0, 0, NULL};
        return false;
    }
    *entry = (struct rangemap_entry){i * STRIDE + 3, i * STRIDE + 8, (void *)(uintptr_t)(i + 1)};
    return true;
}

static bool is_same(const struct rangemap_entry *left, const struct rangemap_entry *right)
{
    return left->start == right->start && left->last == right->last && left->value == right->value;
}

static void check_one(const struct rm_kernel *kernel, uint64_t key)
{
    struct rangemap_entry wanted, entry = {7, 7, &wanted};
    void *value = &wanted;
    bool hit = expected(key, &wanted);

    REQUIRE_EQ(kernel->lookup(map, key, &value), hit, "key %llu", (unsigned long long)key);
    REQUIRE_EQ(value, hit ? wanted.value : (void *)&wanted, "key %llu", (unsigned long long)key);
    REQUIRE_EQ(kernel->lookup(map, key, NULL), hit);
    REQUIRE_EQ(kernel->find(map, key, &entry), hit);
    REQUIRE(hit ? is_same(&entry, &wanted) : entry.value == &wanted && entry.start == 7 && entry.last == 7);
}

static void check_answers(const uint64_t *key, unsigned count, void *const *value,
                          const struct rangemap_entry *entry, const bool *hit)
{
    for (unsigned i = 0; i < RM_BATCH_KEYS; i++) {
        struct rangemap_entry wanted;
        bool wants = expected(key[i], &wanted);

        if (i >= count) {
            REQUIRE(value[i] == (void *)&map && entry[i].start == 7 && hit[i] == (bool)(i % 2),
                    "beyond the last");
        } else {
            REQUIRE_EQ(value[i], wanted.value, "key %llu", (unsigned long long)key[i]);
            REQUIRE(is_same(&entry[i], &wanted));
            REQUIRE_EQ(hit[i], wants);
        }
    }
}

static void check_batch(const struct rm_kernel *kernel, const uint64_t *key, unsigned count)
{
    void *value[RM_BATCH_KEYS];
    struct rangemap_entry entry[RM_BATCH_KEYS], wanted;
    bool hit[RM_BATCH_KEYS], found[RM_BATCH_KEYS];
    unsigned hits = 0;

    for (unsigned i = 0; i < RM_BATCH_KEYS; i++) {
        value[i] = (void *)&map;
        entry[i] = (struct rangemap_entry){7, 7, NULL};
        hit[i] = found[i] = i % 2;
        hits += i < count && expected(key[i], &wanted);
    }
    REQUIRE_EQ(kernel->lookup_batch(map, key, count, value, hit), hits);
    REQUIRE_EQ(kernel->find_batch(map, key, count, entry, found), hits);
    REQUIRE(memcmp(hit, found, sizeof hit) == 0);
    check_answers(key, count, value, entry, hit);
    REQUIRE_EQ(kernel->lookup_batch(map, key, count, NULL, NULL), hits);
    REQUIRE_EQ(kernel->find_batch(map, key, count, NULL, NULL), hits);
}

static void look_up_all(const void *context)
{
    const struct rm_kernel *kernel = rm_kernel_selected;
    struct prng random = prng_stream(test_seed(), ranges);
    uint64_t key[RM_BATCH_KEYS], step = ranges < 200 ? 1 : ranges / 20 | 1;

    (void)context;
    for (uint64_t at = 0; at < ranges * STRIDE + STRIDE; at += step) {
        check_one(kernel, at);
    }
    check_one(kernel, UINT64_MAX);
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = 0; i < RM_BATCH_KEYS; i++) {
            key[i] =
                prng_below(&random, 50) == 0 ? UINT64_MAX : prng_below(&random, ranges * STRIDE + STRIDE);
        }
        check_batch(kernel, key, round % (RM_BATCH_KEYS + 1));
    }
}

/* Of one leaf, of two levels, and of more. */
TEST_CASE(batch, maps_of_every_height)
{
    static const uint64_t count[] = {0, 1, 2, 7, 8, 14, 15, 16, 17, 100, 300, 3000, 30000};

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (unsigned i = 0; i < sizeof count / sizeof *count; i++) {
        for (; ranges < count[i]; ranges++) {
            REQUIRE_EQ(rangemap_insert(map, ranges * STRIDE + 3, ranges * STRIDE + 8,
                                       (void *)(uintptr_t)(ranges + 1), NULL),
                       0);
        }
        REQUIRE_EQ(rangemap_read_begin(map), 0);
        for_each_kernel(look_up_all, NULL);
        rangemap_read_end(map);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* By name: one that is not there is none, and changes nothing. */
TEST_CASE(batch, kernels_by_name)
{
    const struct rm_kernel *before = rm_kernel_selected;

    CHECK_EQ(rm_kernel_select("avx"), -ENOENT);
    CHECK_EQ(rm_kernel_select(""), -ENOENT);
    CHECK_EQ(rm_kernel_selected, before);
    CHECK_EQ(rm_kernel_select("portable"), 0);
    CHECK_EQ(rm_kernel_selected, &rm_kernel_portable);
    CHECK_EQ(rm_rank_selected, rm_portable_rank);
    CHECK_EQ(rm_splice_selected, rm_portable_splice);
    CHECK_EQ(rm_path_descend_selected, rm_kernel_portable.descend);
    CHECK_EQ(rm_short_update_selected, rm_kernel_portable.short_update);
    rm_kernel_select_best();
    CHECK_STR_EQ(rangemap_kernel(), best_kernel());
    CHECK(rm_rank_selected == rm_kernel_selected->rank && rm_splice_selected == rm_kernel_selected->splice);
    CHECK_EQ(rm_path_descend_selected, rm_kernel_selected->descend);
    CHECK_EQ(rm_short_update_selected, rm_kernel_selected->short_update);
    CHECK_EQ(rm_kernel_select(before->name), 0);
}
