// SPDX-License-Identifier: BSD-2-Clause
/* Which stretches of a device can be exported, at which place of its memory, and what is left when one cannot. */
#include <errno.h>

#include "pagemap/export.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"

#define BEFORE (2 * RIG_MB) /* of the memory, in front of each range */
#define BYTES (4 * RIG_MB)

static const uint64_t starts[2] = {RIG_GB, 3 * RIG_GB};

struct bounds {
    struct pagemap_memory *memory[2];
    struct rig_many many;
    uint64_t exports, exports_now;
};

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

static void set_up(struct bounds *it, enum memory_type type)
{
    struct range ranges[2] = {rig_range(starts[0], BYTES), rig_range(starts[1], BYTES)};

    warnings_count();
    for (unsigned i = 0; i < 2; i++) {
        it->memory[i] = rig_plug(starts[i] - BEFORE, 2 * BEFORE + BYTES);
    }
    it->many = rig_many(type, ranges, 2);
    REQUIRE_EQ(rig_map(&it->many.pgmap), 0);
    it->exports = stats().exports;
    it->exports_now = stats().exports_now;
}

/* As many as were made, and none now: no reference is left. */
static void tear_down(struct bounds *it, uint64_t exports)
{
    CHECK_EQ(stats().exports, it->exports + exports);
    CHECK_EQ(stats().exports_now, it->exports_now);
    CHECK_EQ(pgmap_nr_references(&it->many.pgmap), 0);
    CHECK_EQ(memunmap_pages(&it->many.pgmap), 0);
    rig_unplug(it->memory[0]);
    rig_unplug(it->memory[1]);
    CHECK_EQ(warnings_take(), 0);
}

/* Whether it was exported. What could not be wrote nothing. */
static bool try_export(uint64_t start, uint64_t bytes, int error)
{
    struct pagemap_export exported = {.fd = -7, .offset = 99};
    const uint64_t now = stats().exports_now;
    int result = pagemap_export(start, bytes, 0, &exported);

    CHECK_EQ(result, error, "%#lx, %#lx bytes", (unsigned long)start, (unsigned long)bytes);
    if (result != 0) {
        CHECK_EQ(exported.fd, -7);
        CHECK_EQ(exported.offset, 99);
        CHECK_EQ(stats().exports_now, now);
        return false;
    }
    CHECK_EQ(exported.offset, BEFORE + start % RIG_GB);
    CHECK_EQ(exported.bytes, bytes);
    CHECK_EQ(exported.granule, PAGE_SIZE);
    CHECK(exported.is_sealed);
    CHECK_EQ(stats().exports_now, now + 1);
    (void)close(exported.fd);
    pagemap_export_end(&exported);
    pagemap_export_end(&exported);
    CHECK_EQ(stats().exports_now, now);
    return true;
}

/* In steps of a MiB and a page, inside and beyond both ends of each range. */
TEST_CASE(export_bounds, each_stretch)
{
    static const int64_t edges[] = {-2 * (int64_t)RIG_MB,
                                    -(int64_t)PAGE_SIZE,
                                    0,
                                    PAGE_SIZE,
                                    RIG_MB,
                                    (int64_t)(BYTES - PAGE_SIZE),
                                    BYTES,
                                    (int64_t)(BYTES + PAGE_SIZE)};
    const size_t count = sizeof edges / sizeof *edges;
    uint64_t exports = 0;
    struct bounds it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    for (size_t i = 0; i < 2 * count * count; i++) {
        int64_t first = edges[i / 2 / count], end = edges[i / 2 % count];
        bool is_inside = first >= 0 && end <= (int64_t)BYTES && first < end;

        if (first < end) {
            exports +=
                try_export(starts[i % 2] + (uint64_t)first, (uint64_t)(end - first), is_inside ? 0 : -ENXIO);
        }
    }
    (void)try_export(starts[0], starts[1] - starts[0] + BYTES, -ENXIO);
    (void)try_export(starts[0] + PAGE_SIZE / 2, PAGE_SIZE, -EINVAL);
    (void)try_export(starts[0], PAGE_SIZE / 2, -EINVAL);
    (void)try_export(starts[0], 0, -EINVAL);
    tear_down(&it, exports);
}

/* One that is broken keeps back those that have it, to the page. */
TEST_CASE(export_bounds, poison_inside)
{
    const uint64_t broken = starts[1] + 5 * PAGE_SIZE;
    struct address_space file;
    uint64_t exports = 0;
    struct bounds it;

    set_up(&it, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(address_space_init(&file, "file", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, PHYS_PFN(broken), 1), 0);
    REQUIRE_EQ(memory_failure(PHYS_PFN(broken), 0), 0);
    for (uint64_t first = 3; first < 8; first++) {
        for (uint64_t end = first + 1; end < 9; end++) {
            exports += try_export(starts[1] + first * PAGE_SIZE, (end - first) * PAGE_SIZE,
                                  first <= 5 && end > 5 ? -EHWPOISON : 0);
        }
    }
    exports += try_export(starts[0] + 5 * PAGE_SIZE, PAGE_SIZE, 0);
    CHECK_EQ(truncate_inode_pages(&file, 0), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(unpoison_memory(PHYS_PFN(broken)), 0);
    tear_down(&it, exports);
}

/* Of private memory there is nothing to hand out, even where something is plugged in. */
TEST_CASE(export_bounds, private_memory)
{
    struct bounds it;

    set_up(&it, MEMORY_DEVICE_PRIVATE);
    (void)try_export(starts[0], PAGE_SIZE, -ENXIO);
    tear_down(&it, 0);
}

static void no_descriptor_left(void)
{
    struct pagemap_export exported;
    struct rlimit before;
    struct bounds it;

    set_up(&it, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit(RLIMIT_NOFILE, 3);
    for (unsigned flags = 0; flags <= PAGEMAP_EXPORT_READ_ONLY; flags += PAGEMAP_EXPORT_READ_ONLY) {
        CHECK_EQ(pagemap_export(starts[0], PAGE_SIZE, flags, &exported), -EMFILE);
    }
    REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (unsigned flags = 0; flags <= PAGEMAP_EXPORT_READ_ONLY; flags += PAGEMAP_EXPORT_READ_ONLY) {
        REQUIRE_EQ(pagemap_export(starts[0], PAGE_SIZE, flags, &exported), 0);
        CHECK_EQ(fcntl(exported.fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(exported.fd, F_GETFL) & O_ACCMODE, flags != 0 ? O_RDONLY : O_RDWR);
        (void)close(exported.fd);
        pagemap_export_end(&exported);
    }
    tear_down(&it, 2);
}

TEST_CASE(export_bounds, descriptors_run_out)
{
    child_run(no_descriptor_left);
}
