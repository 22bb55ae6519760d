// SPDX-License-Identifier: BSD-2-Clause
/* All devices by a cursor. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "test/pagemap/file_rig.h"

static int step(struct pagemap_cursor *cursor, struct pagemap_entry *entry)
{
    return pagemap_cursor_next(cursor, entry, sizeof *entry);
}

static void check_entry(struct pagemap_cursor *cursor, struct dev_pagemap *pgmap, unsigned range)
{
    struct pagemap_entry entry;

    REQUIRE_EQ(step(cursor, &entry), 0);
    CHECK_EQ(entry.pgmap, pgmap);
    CHECK_EQ(entry.range, range);
    CHECK_EQ(entry.nr_range, pgmap->nr_range);
    CHECK_EQ(entry.start, pgmap->ranges[range].start);
    CHECK_EQ(entry.end, pgmap->ranges[range].end);
    CHECK_EQ(entry.type, pgmap->type);
    CHECK_EQ(entry.flags, pgmap->flags);
    CHECK_EQ(entry.owner, pgmap->owner);
    CHECK_EQ(entry.vmemmap_shift, pgmap->vmemmap_shift);
    CHECK_EQ(entry.references, pgmap_nr_references(pgmap));
    CHECK_EQ(entry.is_dying, percpu_ref_is_dying(&pgmap->ref));
}

static void check_end(struct pagemap_cursor *cursor)
{
    struct pagemap_entry entry = {.nr_range = 77};

    CHECK_EQ(step(cursor, &entry), -ENOENT);
    CHECK_EQ(step(cursor, &entry), -ENOENT, "and again");
    CHECK_EQ(entry.nr_range, 77, "not written to");
}

TEST_CASE(statistics, a_cursor_before_the_first_device)
{
    struct pagemap_cursor cursor;

    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    check_end(&cursor);
}

TEST_CASE(statistics, a_cursor_returns_each_range_in_order)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range first[] = {rig_range(40 * RIG_MB, 2 * RIG_MB), rig_range(4 * RIG_MB, 4 * RIG_MB)};
    struct range second = rig_range(8 * RIG_MB, 2 * RIG_MB);
    struct rig_many two = rig_many(MEMORY_DEVICE_GENERIC, first, 2);
    struct dev_pagemap one = rig_pgmap(MEMORY_DEVICE_FS_DAX, &second, 1);
    struct pagemap_cursor cursor;

    one.vmemmap_shift = 9;
    REQUIRE_EQ(rig_map(&two.pgmap), 0);
    REQUIRE_EQ(rig_map(&one), 0);
    REQUIRE_EQ(get_dev_pagemap(PHYS_PFN(second.start), NULL), &one);
    REQUIRE_EQ(kill_dev_pagemap(&one), 0);
    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    check_entry(&cursor, &two.pgmap, 1);
    check_entry(&cursor, &one, 0);
    check_entry(&cursor, &two.pgmap, 0);
    check_end(&cursor);
    pagemap_cursor_init(&cursor, 8 * RIG_MB - 1, 8 * RIG_MB); /* a byte of each of two */
    check_entry(&cursor, &two.pgmap, 1);
    check_entry(&cursor, &one, 0);
    check_end(&cursor);
    pagemap_cursor_init(&cursor, 42 * RIG_MB, PHYSMEM_END);
    check_end(&cursor);
    pagemap_cursor_init(&cursor, 1, 0);
    check_end(&cursor);
    put_dev_pagemap(&one);
    CHECK_EQ(memunmap_pages(&one), 0);
    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    check_entry(&cursor, &two.pgmap, 1);
    check_entry(&cursor, &two.pgmap, 0);
    check_end(&cursor);
    CHECK_EQ(memunmap_pages(&two.pgmap), 0);
    rig_unplug(memory);
}

/* Programs of another version than the library's. */
TEST_CASE(statistics, sizes_of_other_versions)
{
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct {
        union {
            struct pagemap_entry entry;
            struct pagemap_statistics statistics;
        } known;
        uint64_t later, beyond;
    } newer;
    struct pagemap_cursor cursor;

    REQUIRE_EQ(rig_map(&pgmap), 0);
    memset(&newer, 0xff, sizeof newer);
    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    CHECK_EQ(pagemap_cursor_next(&cursor, &newer.known.entry, 0), -EINVAL);
    CHECK_EQ(pagemap_cursor_next(&cursor, &newer.known.entry, 12), -EINVAL);
    CHECK_EQ(pagemap_cursor_next(&cursor, &newer.known.entry, 16), 0);
    CHECK_EQ(newer.known.entry.pgmap, &pgmap);
    CHECK_EQ(newer.known.entry.end, UINT64_MAX, "cut off");
    pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
    CHECK_EQ(pagemap_cursor_next(&cursor, &newer.known.entry, sizeof newer - 8), 0);
    CHECK_EQ(newer.known.entry.end, range.end);
    CHECK_EQ(newer.later, 0);
    CHECK_EQ(newer.beyond, UINT64_MAX);

    memset(&newer, 0xff, sizeof newer);
    CHECK_EQ(pagemap_stats(NULL, 8), -EINVAL);
    CHECK_EQ(pagemap_stats(&newer.known.statistics, 0), -EINVAL);
    CHECK_EQ(pagemap_stats(&newer.known.statistics, 7), -EINVAL);
    CHECK_EQ(pagemap_stats(&newer.known.statistics, 16), 0);
    CHECK_EQ(newer.known.statistics.devices_now, 1);
    CHECK_GE(newer.known.statistics.devices, 1);
    CHECK_EQ(newer.known.statistics.devices_refused, UINT64_MAX, "cut off");
    CHECK_EQ(pagemap_stats(&newer.known.statistics, sizeof newer - 8), 0);
    CHECK_EQ(newer.later, 0);
    CHECK_EQ(newer.beyond, UINT64_MAX);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

/* Two devices that stay, beside one between them that comes and goes. */
struct changes {
    struct dev_pagemap pgmap;
    uint64_t stop, rounds;
};

static void *map_and_unmap(void *context)
{
    struct changes *changes = context;

    while (__atomic_load_n(&changes->stop, __ATOMIC_SEQ_CST) == 0) {
        CHECK_EQ(rig_map(&changes->pgmap), 0);
        CHECK_EQ(memunmap_pages(&changes->pgmap), 0);
        changes->rounds++;
    }
    return NULL;
}

TEST_CASE(statistics, a_cursor_beside_changes)
{
    struct pagemap_memory *memory = rig_plug(0, 32 * RIG_MB);
    struct range ranges[] = {rig_range(0, 4 * RIG_MB), rig_range(8 * RIG_MB, 4 * RIG_MB),
                             rig_range(16 * RIG_MB, 4 * RIG_MB)};
    struct dev_pagemap low = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[0], 1);
    struct changes changes = {.pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[1], 1)};
    struct dev_pagemap high = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[2], 1);
    unsigned seen = 0;
    pthread_t thread;

    REQUIRE_EQ(rig_map(&low), 0);
    REQUIRE_EQ(rig_map(&high), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, map_and_unmap, &changes), 0);
    for (unsigned i = 0; i < 2000 || seen == 0; i++) { /* it may have no processor for long */
        struct pagemap_cursor cursor;
        struct pagemap_entry entry;

        pagemap_cursor_init(&cursor, 0, PHYSMEM_END);
        check_entry(&cursor, &low, 0);
        REQUIRE_EQ(step(&cursor, &entry), 0);
        if (entry.pgmap == &changes.pgmap) {
            CHECK_EQ(entry.start, ranges[1].start);
            seen++;
            REQUIRE_EQ(step(&cursor, &entry), 0);
        }
        CHECK_EQ(entry.pgmap, &high);
        check_end(&cursor);
        if (i >= 2000) {
            (void)sched_yield();
        }
    }
    (void)__atomic_exchange_n(&changes.stop, 1, __ATOMIC_SEQ_CST);
    (void)pthread_join(thread, NULL);
    CHECK_GT(seen, 0);
    CHECK_EQ(memunmap_pages(&low), 0);
    CHECK_EQ(memunmap_pages(&high), 0);
    rig_unplug(memory);
}
