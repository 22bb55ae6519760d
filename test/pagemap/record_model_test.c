// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records of holders beside a list: any names, keys of which some share a bucket, and references that are given back by
 * another than the one that took them. By the functions themselves.
 */
#define _GNU_SOURCE /* pthread_setname_np */
#include <pthread.h>
#include <string.h>

#include "pagemap/holders.h"
#include "pagemap/page/record.h"
#include "test/pagemap/allocated.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { KEYS = 6, NAMES = 6, ROOM = 8, STEPS = 4000 };

/* As they are given; what is kept of the third and fourth is the same. The last is the thread's own. */
static const char *const names[NAMES] = {"a",
                                         "b",
                                         "0123456789012345678901234567890",
                                         "0123456789012345678901234567890123456789",
                                         "012345678901234567890123456789",
                                         NULL};

static struct list {
    struct pm_record records[ROOM];
    unsigned nr;
} lists[KEYS];

static uint64_t keys[KEYS];

/* Three of one bucket, and three of any. */
static void find_keys(void)
{
    const uint64_t bucket = UINT64_C(5) * UINT64_C(0x9e3779b97f4a7c15) >> 56;
    unsigned found = 0;

    for (uint64_t key = 5; found < 3; key++) {
        if (key * UINT64_C(0x9e3779b97f4a7c15) >> 56 == bucket) {
            keys[found++] = key;
        }
    }
    keys[3] = 0;
    keys[4] = 1;
    keys[5] = pm_pagemap_key(&keys);
}

static void name_of(unsigned i, char kept[PM_HOLDER_NAME])
{
    memset(kept, 0, PM_HOLDER_NAME);
    (void)strncpy(kept, names[i] != NULL ? names[i] : "the thread's", PM_HOLDER_NAME - 1);
}

static unsigned place_of(const struct list *list, const char *name)
{
    unsigned at = 0;

    while (at < list->nr && strcmp(list->records[at].name, name) != 0) {
        at++;
    }
    return at;
}

static void add(struct list *list, unsigned name, uint64_t references)
{
    char kept[PM_HOLDER_NAME];
    unsigned at;

    name_of(name, kept);
    at = place_of(list, kept);
    if (at == list->nr) {
        list->records[list->nr++] = (struct pm_record){0};
        memcpy(list->records[at].name, kept, sizeof kept);
    }
    list->records[at].references += references;
}

static uint64_t take(struct list *list, unsigned at, uint64_t references)
{
    struct pm_record *record = &list->records[at];
    uint64_t taken = references < record->references ? references : record->references;

    record->references -= taken;
    if (record->references == 0) {
        list->nr--;
        memmove(record, record + 1, (list->nr - at) * sizeof *record);
    }
    return references - taken;
}

/* One's own first, then anybody's. */
static void forget(struct list *list, unsigned name, uint64_t references)
{
    char kept[PM_HOLDER_NAME];
    unsigned at;

    name_of(name, kept);
    at = place_of(list, kept);
    if (at < list->nr) {
        references = take(list, at, references);
    }
    while (references > 0 && list->nr > 0) {
        references = take(list, 0, references);
    }
}

static void check_all(void)
{
    struct pm_record found[ROOM + 1];

    for (unsigned i = 0; i < KEYS; i++) {
        for (unsigned room = 0; room <= ROOM; room++) {
            const unsigned expected = lists[i].nr < room ? lists[i].nr : room;

            memset(found, 0xee, sizeof found);
            REQUIRE_EQ(pm_recorded(keys[i], found, room), expected, "key %u", i);
            for (unsigned k = 0; k < expected; k++) {
                REQUIRE_EQ(found[k].references, lists[i].records[k].references, "key %u, %u", i, k);
                REQUIRE_EQ(memcmp(found[k].name, lists[i].records[k].name, PM_HOLDER_NAME), 0);
            }
            REQUIRE_EQ(found[expected].references, UINT64_C(0xeeeeeeeeeeeeeeee), "not written to");
        }
    }
}

/* So that nothing is right by chance. */
static __attribute__((noinline)) void fill_the_stack(void)
{
    volatile char junk[2048];

    memset((void *)(uintptr_t)junk, 'x', sizeof junk);
}

static void step(struct prng *prng)
{
    unsigned key = (unsigned)prng_below(prng, KEYS), name = (unsigned)prng_below(prng, NAMES);
    uint64_t references = prng_between(prng, 1, 5);

    (void)pagemap_set_holder(names[name]);
    fill_the_stack();
    if (prng_below(prng, 2) == 0) {
        pm_record_slow(keys[key], references);
        add(&lists[key], name, references);
    } else {
        references = prng_below(prng, 8) == 0 ? UINT64_MAX : references;
        pm_forget_slow(keys[key], references);
        forget(&lists[key], name, references);
    }
}

static void begin(void)
{
    char before[PM_HOLDER_NAME];

    find_keys();
    memset(lists, 0, sizeof lists);
    REQUIRE_EQ(pthread_getname_np(pthread_self(), before, sizeof before), 0);
    REQUIRE_EQ(pthread_setname_np(pthread_self(), "the thread's"), 0);
    pagemap_record_holders(true);
}

TEST_CASE(record_model, beside_a_list)
{
    struct prng prng = prng_stream(test_seed(), 9);

    begin();
    for (unsigned i = 0; i < STEPS; i++) {
        step(&prng);
        check_all();
    }
    memset(lists, 0, sizeof lists);
    pagemap_record_holders(false);
    check_all();
    (void)pagemap_set_holder(NULL);
}

/* What is forgotten is given back, and all is that is no longer recorded. */
TEST_CASE(record_model, keeps_no_memory)
{
    struct pm_record found;

    if (!ALLOCATED_WORKS) {
        TEST_SKIP("the sanitizer has calloc()");
    }
    begin();
    allocated_count();
    for (uint64_t key = 0; key < 1000; key++) {
        pm_record_slow(key, 2);
        CHECK_EQ(allocated.nr, 1u);
        pm_forget_slow(key, 1);
        CHECK_EQ(allocated.nr, 1u);
        pm_forget_slow(key, 1);
        CHECK_EQ(allocated.nr, 0u, "key %u", (unsigned)key);
    }
    for (uint64_t key = 0; key < 1000; key++) { /* several in each bucket */
        pm_record_slow(key, 2);
    }
    CHECK_EQ(allocated.nr, 1000u);
    pagemap_record_holders(true);
    CHECK_EQ(allocated.nr, 1000u, "it was on");
    pagemap_record_holders(false);
    CHECK_EQ(allocated_stop(), 0u);
    for (uint64_t key = 0; key < 1000; key++) {
        CHECK_EQ(pm_recorded(key, &found, 1), 0u);
        pm_record(key, 1);
        pm_record_slow(key, 1);
        CHECK_EQ(pm_recorded(key, &found, 1), 0u, "it is off");
    }
}

/* Keys of dev_pagemaps and of pages are apart. */
TEST_CASE(record_model, keys)
{
    CHECK_EQ(pm_pagemap_key(NULL), UINT64_C(1) << 63);
    CHECK_EQ(pm_pagemap_key((void *)0x7f1234567890), UINT64_C(0x80007f1234567890));
}
