// SPDX-License-Identifier: BSD-2-Clause
/* kernel/resource.c and drivers/base/devres.c, one tree of resources after the other: hence its length. */
#include <errno.h>
#include <string.h>

#include "pagemap/device.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"

static const resource_size_t MB = UINT64_C(1) << 20, GB = UINT64_C(1) << 30;

TEST_CASE(resource, request_and_release)
{
    struct resource *region;

    warnings_count();
    region = request_mem_region(4 * GB, GB, "dax0.0");
    REQUIRE_NE(region, NULL);
    CHECK_EQ(region->start, 4 * GB);
    CHECK_EQ(region->end, 5 * GB - 1);
    CHECK_EQ(resource_size(region), GB);
    CHECK_EQ(request_mem_region(4 * GB, GB, "again"), NULL);
    CHECK_EQ(request_mem_region(5 * GB - 1, 1, "last byte"), NULL);
    CHECK_EQ(request_mem_region(4 * GB - 1, 2, "first byte"), NULL);
    CHECK_EQ(request_mem_region(3 * GB, 3 * GB, "around"), NULL);
    CHECK_EQ(request_mem_region(4 * GB + MB, MB, "inside"), NULL);
    CHECK_EQ(request_mem_region(0, 0, "nothing"), NULL);
    CHECK_EQ(request_mem_region(UINT64_MAX, 2, "wraps"), NULL);
    CHECK_EQ(request_mem_region(PHYSMEM_END, 2, "beyond the end"), NULL);
    REQUIRE_NE(request_mem_region(5 * GB, 1, "touches"), NULL);
    release_mem_region(5 * GB, 1);
    release_mem_region(4 * GB, GB - 1);
    CHECK_EQ(warnings_take(), 1, "no such region");
    release_mem_region(4 * GB, GB);
    CHECK_EQ(warnings_take(), 0);
    release_mem_region(4 * GB, GB);
    CHECK_EQ(warnings_take(), 1, "gone");
    CHECK_EQ(iomem_resource.child, NULL);
}

TEST_CASE(resource, a_region_nests_in_what_is_not_busy)
{
    struct resource window = {8 * GB, 16 * GB - 1, "CXL Window 0", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource *region;

    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    CHECK_EQ(request_resource(&iomem_resource, &window), -EBUSY);
    region = request_mem_region(9 * GB, GB, "dax1.0");
    REQUIRE_NE(region, NULL);
    CHECK_EQ(region->parent, &window);
    CHECK_EQ(request_mem_region(7 * GB, 2 * GB, "half in the window"), NULL);
    release_mem_region(9 * GB, GB);
    CHECK_EQ(release_resource(&window), 0);
    CHECK_EQ(release_resource(&window), -EINVAL);
}

TEST_CASE(resource, insert_takes_children_and_remove_gives_them_back)
{
    struct resource a = {1 * GB, 2 * GB - 1, "a", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    struct resource b = {3 * GB, 4 * GB - 1, "b", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    struct resource c = {6 * GB, 7 * GB - 1, "c", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    struct resource window = {1 * GB, 5 * GB - 1, "window", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource half = {4 * GB, 6 * GB - 1, "half", IORESOURCE_MEM, 0, NULL, NULL, NULL};

    REQUIRE_EQ(insert_resource(&iomem_resource, &c), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &a), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &b), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    CHECK_EQ(insert_resource(&iomem_resource, &half), -EBUSY);
    CHECK_EQ(a.parent, &window);
    CHECK_EQ(b.parent, &window);
    CHECK_EQ(c.parent, &iomem_resource);
    CHECK_EQ(window.sibling, &c);
    CHECK_EQ(remove_resource(&window), 0);
    CHECK_EQ(a.parent, &iomem_resource);
    CHECK_EQ(iomem_resource.child, &a);
    CHECK_EQ(a.sibling, &b);
    CHECK_EQ(b.sibling, &c);
    CHECK_EQ(release_resource(&a), 0);
    CHECK_EQ(release_resource(&b), 0);
    CHECK_EQ(release_resource(&c), 0);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* Inserted twice, a resource would be its own child, and walks of the tree would not end. */
TEST_CASE(resource, is_in_the_tree_once)
{
    struct resource window = {8 * GB, 16 * GB - 1, "CXL Window 0", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource ram = {9 * GB, 10 * GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    struct resource twin = ram, another = ram;

    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    CHECK_EQ(insert_resource(&iomem_resource, &window), -EBUSY);
    CHECK_EQ(insert_resource(&iomem_resource, &ram), -EBUSY);
    CHECK_EQ(insert_resource(&window, &ram), -EBUSY);
    CHECK_EQ(request_resource(&window, &ram), -EBUSY);
    CHECK_EQ(region_intersects(0, 16 * GB, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE), REGION_MIXED);
    CHECK_EQ(insert_resource(&iomem_resource, &twin), 0, "another one of the same bounds goes around it");
    CHECK_EQ(ram.parent, &twin);
    CHECK_EQ(insert_resource(&iomem_resource, &ram), -EBUSY, "inside of its twin");
    CHECK_EQ(insert_resource(&twin, &ram), -EBUSY);
    CHECK_EQ(insert_resource(&ram, &twin), -EBUSY, "what it lies in");
    CHECK_EQ(request_resource(&ram, &twin), -EBUSY);
    CHECK_EQ(request_resource(&ram, &ram), -EBUSY);
    CHECK_EQ(insert_resource(&iomem_resource, &another), 0);
    CHECK_EQ(insert_resource(&iomem_resource, &ram), -EBUSY, "two further in");
    CHECK_EQ(insert_resource(&iomem_resource, &twin), -EBUSY);
    CHECK_EQ(remove_resource(&another), 0);
    CHECK_EQ(ram.parent, &twin);
    CHECK_EQ(remove_resource(&twin), 0);
    CHECK_EQ(release_resource(&ram), 0);
    CHECK_EQ(release_resource(&window), 0);
    CHECK_EQ(release_resource(&iomem_resource), -EINVAL);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* What lies in a region would be left with a parent that was freed. */
TEST_CASE(resource, a_region_is_not_released_under_others)
{
    struct resource ram = {9 * GB, 10 * GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};

    warnings_count();
    REQUIRE_NE(request_mem_region(8 * GB, 4 * GB, "dax0.0"), NULL);
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    release_mem_region(8 * GB, 4 * GB);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(request_mem_region(8 * GB, GB, "still reserved"), NULL);
    CHECK_EQ(release_resource(&ram), 0);
    release_mem_region(8 * GB, 4 * GB);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* Bug 3: mixed ranges; bug 39: RAM nested under a "CXL Window" went unseen. */
TEST_CASE(resource, bug3_bug39_region_intersects)
{
    struct resource window = {8 * GB, 16 * GB - 1, "CXL Window 0", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource ram = {9 * GB, 10 * GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    struct resource more = {10 * GB, 11 * GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM, 0, NULL, NULL, NULL};
    const unsigned long flags = IORESOURCE_SYSTEM_RAM;

    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &more), 0);
    CHECK_EQ(ram.parent, &window);
    CHECK_EQ(region_intersects(9 * GB, GB, flags, IORES_DESC_NONE), REGION_INTERSECTS);
    CHECK_EQ(region_intersects(9 * GB, 2 * GB, flags, IORES_DESC_NONE), REGION_INTERSECTS, "two that touch");
    CHECK_EQ(region_intersects(9 * GB + MB, MB, flags, IORES_DESC_NONE), REGION_INTERSECTS);
    CHECK_EQ(region_intersects(8 * GB, GB, flags, IORES_DESC_NONE), REGION_DISJOINT);
    CHECK_EQ(region_intersects(11 * GB, GB, flags, IORES_DESC_NONE), REGION_DISJOINT);
    CHECK_EQ(region_intersects(9 * GB - MB, 2 * MB, flags, IORES_DESC_NONE), REGION_MIXED,
             "the window before");
    CHECK_EQ(region_intersects(11 * GB - MB, 2 * MB, flags, IORES_DESC_NONE), REGION_MIXED,
             "the window after");
    CHECK_EQ(release_resource(&more), 0);
    CHECK_EQ(region_intersects(9 * GB, 2 * GB, flags, IORES_DESC_NONE), REGION_MIXED);
    CHECK_EQ(release_resource(&ram), 0);
    CHECK_EQ(release_resource(&window), 0);
}

/* Holes, of which nobody says anything, count for nothing; and what a resource is by its descriptor. */
TEST_CASE(resource, region_intersects_with_holes_and_descriptors)
{
    const unsigned long flags = IORESOURCE_MEM;
    struct resource soft = {GB,   2 * GB - 1, "Soft Reserved", IORESOURCE_MEM, IORES_DESC_SOFT_RESERVED, NULL,
                            NULL, NULL};
    struct resource more = {
        3 * GB, 4 * GB - 1, "Soft Reserved", IORESOURCE_MEM, IORES_DESC_SOFT_RESERVED, NULL, NULL, NULL};
    struct resource other = {4 * GB, 5 * GB - 1, "other", IORESOURCE_MEM, IORES_DESC_NONE, NULL, NULL, NULL};
    struct resource inner = {3 * GB, 3 * GB + MB - 1, "inner", 0, IORES_DESC_NONE, NULL, NULL, NULL};

    REQUIRE_EQ(insert_resource(&iomem_resource, &soft), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &more), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &other), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &inner), 0);
    CHECK_EQ(region_intersects(0, 4 * GB, flags, IORES_DESC_SOFT_RESERVED), REGION_INTERSECTS, "three holes");
    CHECK_EQ(region_intersects(2 * GB, GB, flags, IORES_DESC_NONE), REGION_DISJOINT, "a hole");
    CHECK_EQ(region_intersects(0, 8 * GB, flags, IORES_DESC_NONE), REGION_INTERSECTS);
    CHECK_EQ(region_intersects(0, 8 * GB, flags, IORES_DESC_SOFT_RESERVED), REGION_MIXED);
    CHECK_EQ(region_intersects(4 * GB, 4 * GB, flags, IORES_DESC_SOFT_RESERVED), REGION_DISJOINT);
    CHECK_EQ(region_intersects(0, 8 * GB, flags, IORES_DESC_CXL), REGION_DISJOINT);
    CHECK_EQ(region_intersects(3 * GB, MB, IORESOURCE_BUSY, IORES_DESC_NONE), REGION_DISJOINT);
    CHECK_EQ(release_resource(&inner), 0);
    CHECK_EQ(release_resource(&other), 0);
    CHECK_EQ(release_resource(&more), 0);
    CHECK_EQ(release_resource(&soft), 0);
}

TEST_CASE(resource, free_regions_come_from_the_top)
{
    struct resource base = {0, 1 * GB - 1, "base", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource *first, *second, *region;

    first = request_free_mem_region(&base, 100 * MB + 1, "hmm");
    REQUIRE(!IS_ERR(first));
    CHECK_EQ(resource_size(first), 128 * MB, "whole sections");
    CHECK_EQ(first->end, 1 * GB - 1);
    CHECK_EQ(first->desc, IORES_DESC_DEVICE_PRIVATE_MEMORY);
    second = request_free_mem_region(&base, 64 * MB, "hmm");
    REQUIRE(!IS_ERR(second));
    CHECK_EQ(second->end + 1, first->start);
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, GB - 255 * MB, "hmm")), -ERANGE);
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, 2 * GB, "hmm")), -ERANGE);
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, UINT64_MAX, "hmm")), -ERANGE);
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, 0, "hmm")), -EINVAL);
    release_mem_region(first->start, resource_size(first));
    first = request_free_mem_region(&base, 128 * MB, "the hole again");
    REQUIRE(!IS_ERR(first));
    CHECK_EQ(first->end, 1 * GB - 1);
    release_mem_region(first->start, resource_size(first));
    release_mem_region(second->start, resource_size(second));
    base = (struct resource){0, UINT64_MAX, "all", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    region = request_free_mem_region(&base, 2 * MB, "hmm");
    REQUIRE(!IS_ERR(region));
    CHECK_EQ(region->end, PHYSMEM_END, "where the tree ends, not its base");
    release_mem_region(region->start, resource_size(region));
    base.start = PHYSMEM_END + 1;
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, 2 * MB, "hmm")), -ERANGE);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* What [0, end] has room for when all from `taken` on is taken: the hole at 0 counts, and its size is exact. */
static void check_hole_at_zero(resource_size_t end, resource_size_t size, int error)
{
    struct resource base = {0, end, "base", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource *region = request_free_mem_region(&base, size, "hmm");

    CHECK_EQ(IS_ERR(region) ? (int)PTR_ERR(region) : 0, error, "%llu of %llu MiB",
             (unsigned long long)(size / MB), (unsigned long long)((end + 1) / MB));
    if (!IS_ERR(region)) {
        CHECK_EQ(region->start, 0);
        CHECK_EQ(region->end, size - 1);
        release_mem_region(0, size);
    }
}

TEST_CASE(resource, free_regions_end_at_zero)
{
    struct resource *above;

    check_hole_at_zero(SECTION_SIZE - 1, SECTION_SIZE, 0);
    check_hole_at_zero(SECTION_SIZE - 2, SECTION_SIZE, -ERANGE);
    check_hole_at_zero(2 * SECTION_SIZE - 1, 2 * SECTION_SIZE, 0);
    check_hole_at_zero(SECTION_SIZE - 1, 2 * SECTION_SIZE, -ERANGE);
    check_hole_at_zero(PHYSMEM_END, PHYSMEM_END + 1, 0);
    check_hole_at_zero(UINT64_MAX, PHYSMEM_END + 2, -ERANGE);
    for (resource_size_t taken = SECTION_SIZE; taken <= 3 * SECTION_SIZE; taken += SECTION_SIZE) {
        above = request_mem_region(taken, GB - taken, "above");
        REQUIRE_NE(above, NULL);
        check_hole_at_zero(GB - 1, taken, 0);
        check_hole_at_zero(GB - 1, taken + SECTION_SIZE, -ERANGE);
        release_mem_region(taken, GB - taken);
    }
    above = request_mem_region(SECTION_SIZE - 1, 1, "one byte of it");
    REQUIRE_NE(above, NULL);
    check_hole_at_zero(SECTION_SIZE - 1, SECTION_SIZE, -ERANGE);
    release_mem_region(SECTION_SIZE - 1, 1);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* What the drivers of dax and xen do with their part of the tree. */
TEST_CASE(resource, places_are_found_and_moved)
{
    struct resource root = {16 * MB, 64 * MB - 1, "region", IORESOURCE_MEM, 0, NULL, NULL, NULL};
    struct resource a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c"}, child = {.name = "child"};

    CHECK_EQ(allocate_resource(&root, &a, 8 * MB, 0, UINT64_MAX, 16 * MB, NULL, NULL), 0);
    CHECK_EQ(a.start, 16 * MB);
    CHECK_EQ(allocate_resource(&root, &b, 8 * MB, 0, UINT64_MAX, 16 * MB, NULL, NULL), 0);
    CHECK_EQ(b.start, 32 * MB, "aligned, behind the first");
    CHECK_EQ(allocate_resource(&root, &c, 8 * MB, 0, UINT64_MAX, 0, NULL, NULL), 0);
    CHECK_EQ(c.start, 24 * MB, "the lowest hole");
    CHECK_EQ(release_resource(&c), 0);
    CHECK_EQ(allocate_resource(&root, &c, 4 * MB, 41 * MB, 48 * MB, 1, NULL, NULL), 0, "min and max");
    CHECK_EQ(c.start, 41 * MB);
    CHECK_EQ(allocate_resource(&root, &child, 24 * MB, 0, UINT64_MAX, 1, NULL, NULL), -EBUSY);
    CHECK_EQ(allocate_resource(&root, &child, 0, 0, UINT64_MAX, 1, NULL, NULL), -EINVAL);
    CHECK_EQ(lookup_resource(&root, 32 * MB), &b);
    CHECK_EQ(lookup_resource(&root, 33 * MB), NULL);

    CHECK_EQ(allocate_resource(&b, &child, MB, 0, UINT64_MAX, MB, NULL, NULL), 0);
    CHECK_EQ(adjust_resource(&b, 33 * MB, MB), -EBUSY, "its child");
    CHECK_EQ(adjust_resource(&b, 32 * MB, 10 * MB), -EBUSY, "its sibling");
    CHECK_EQ(adjust_resource(&a, 15 * MB, MB), -EBUSY, "its parent");
    CHECK_EQ(adjust_resource(&a, 16 * MB, 0), -EBUSY);
    CHECK_EQ(adjust_resource(&a, 16 * MB, 16 * MB), 0);
    CHECK_EQ(a.end, 32 * MB - 1);
    CHECK_EQ(adjust_resource(&root, 0, MB), -EINVAL, "in no tree");
}

TEST_CASE(resource, regions_of_a_root_of_ones_own)
{
    struct resource root = {16 * MB, 64 * MB - 1, "dax region", IORESOURCE_MEM, 0, NULL, NULL, NULL};

    warnings_count();
    REQUIRE_NE(__request_region(&root, 16 * MB, MB, "dax0.0", 0), NULL);
    CHECK_EQ(__request_region(&root, 16 * MB, 2 * MB, "dax0.1", 0), NULL);
    CHECK_EQ(iomem_resource.child, NULL);
    release_mem_region(16 * MB, MB);
    CHECK_EQ(warnings_take(), 1, "another tree's");
    __release_region(&root, 16 * MB, MB);
    CHECK_EQ(root.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}

struct walk {
    unsigned parts, stop_after;
    resource_size_t first, last;
};

static int note_part(struct resource *part, void *walk)
{
    struct walk *seen = walk;

    seen->first = seen->parts == 0 ? part->start : seen->first;
    seen->last = part->end;
    return ++seen->parts == seen->stop_after ? 7 : 0;
}

TEST_CASE(resource, walks_see_parts_that_match)
{
    struct resource soft = {4 * MB, 8 * MB - 1, "soft", IORESOURCE_MEM, IORES_DESC_SOFT_RESERVED,
                            NULL,   NULL,       NULL};
    struct resource more = {16 * MB, 32 * MB - 1, "soft", IORESOURCE_MEM, IORES_DESC_SOFT_RESERVED,
                            NULL,    NULL,        NULL};
    struct resource other = {9 * MB, 10 * MB - 1, "other", IORESOURCE_MEM, IORES_DESC_CXL, NULL, NULL, NULL};
    struct walk walk = {0, 0, 0, 0};

    REQUIRE_EQ(insert_resource(&iomem_resource, &soft), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &more), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &other), 0);
    CHECK_EQ(walk_iomem_res_desc(IORES_DESC_SOFT_RESERVED, IORESOURCE_MEM, 5 * MB, 20 * MB, &walk, note_part),
             0);
    CHECK_EQ(walk.parts, 2);
    CHECK_EQ(walk.first, 5 * MB);
    CHECK_EQ(walk.last, 20 * MB);
    walk = (struct walk){0, 2, 0, 0};
    CHECK_EQ(walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM, 0, UINT64_MAX, &walk, note_part), 7);
    CHECK_EQ(walk.last, 10 * MB - 1);
    CHECK_EQ(walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM, 0, UINT64_MAX, &walk, note_part),
             -EINVAL);
    CHECK_EQ(release_resource(&other), 0);
    CHECK_EQ(release_resource(&more), 0);
    CHECK_EQ(release_resource(&soft), 0);
}

TEST_CASE(devres, regions_are_released_early)
{
    struct device dev;
    struct resource *region;

    warnings_count();
    device_initialize(&dev, "dev");
    region = devm_request_free_mem_region(&dev, &iomem_resource, MB);
    REQUIRE(!IS_ERR(region));
    REQUIRE_NE(devm_request_mem_region(&dev, 2 * MB, MB, "bar"), NULL);
    devm_release_mem_region(&dev, region->start, resource_size(region));
    devm_release_mem_region(&dev, 2 * MB, 2 * MB);
    CHECK_EQ(warnings_take(), 1, "it has none of these bounds");
    CHECK_EQ(devres_release_all(&dev), 1);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}

/* Then devres has no more than bounds, of which there is no region. */
TEST_CASE(devres, regions_that_the_driver_released_otherwise)
{
    struct resource *bar, *free_region;
    struct range bounds;
    struct device dev;

    warnings_count();
    device_initialize(&dev, "dev");
    bar = devm_request_mem_region(&dev, 2 * MB, MB, "bar");
    free_region = devm_request_free_mem_region(&dev, &iomem_resource, MB);
    REQUIRE(bar != NULL && !IS_ERR(free_region));
    bounds = (struct range){free_region->start, free_region->end};
    release_mem_region(2 * MB, MB);
    release_mem_region(bounds.start, range_len(&bounds));
    CHECK_EQ(warnings_take(), 0);
    REQUIRE_NE(request_mem_region(8 * MB, MB, "new"), NULL); /* where one of the others was */
    REQUIRE_NE(request_mem_region(9 * MB, MB, "new"), NULL);
    devm_release_mem_region(&dev, 2 * MB, MB);
    CHECK_EQ(warnings_take(), 1, "nobody has it");
    CHECK_EQ(devres_release_all(&dev), 1);
    CHECK_EQ(warnings_take(), 1);
    release_mem_region(8 * MB, MB);
    release_mem_region(9 * MB, MB);
    CHECK_EQ(warnings_take(), 0, "they are still there");
    CHECK_EQ(iomem_resource.child, NULL);
}

static char trace[16];

static void note(void *data)
{
    (void)strncat(trace, data, sizeof trace - strlen(trace) - 1);
}

TEST_CASE(devres, last_in_first_out)
{
    static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
    struct device dev;

    warnings_count();
    trace[0] = 0;
    device_initialize(&dev, "dev");
    REQUIRE_EQ(devm_add_action(&dev, note, a), 0);
    REQUIRE_EQ(devm_add_action(&dev, note, b), 0);
    REQUIRE_EQ(devm_add_action(&dev, note, c), 0);
    REQUIRE_EQ(devm_add_action(&dev, note, d), 0);
    CHECK_EQ(devm_remove_action(&dev, note, b), 0);
    CHECK_EQ(devm_remove_action(&dev, note, b), -ENOENT);
    CHECK_EQ(devm_release_action(&dev, note, d), 0);
    CHECK_STR_EQ(trace, "d");
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(devm_release_action(&dev, note, d), -ENOENT);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(devres_release_all(&dev), 2);
    CHECK_STR_EQ(trace, "dca");
    CHECK_EQ(devres_release_all(&dev), 0);
}

/* Bug 8: an action that could not be added left its resource behind for ever. */
TEST_CASE(devres, bug8_failure_runs_the_action)
{
    static char a[] = "a", b[] = "b";
    struct device dev;

    trace[0] = 0;
    device_initialize(&dev, "dev");
    (void)pm_fault_arm(1);
    CHECK_EQ(devm_add_action(&dev, note, a), -ENOMEM);
    CHECK_STR_EQ(trace, "");
    (void)pm_fault_arm(1);
    CHECK_EQ(devm_add_action_or_reset(&dev, note, b), -ENOMEM);
    CHECK_STR_EQ(trace, "b");
    CHECK_EQ(devres_release_all(&dev), 0);

    for (unsigned step = 1; step <= 2; step++) {
        (void)pm_fault_arm(step);
        CHECK_EQ(devm_request_mem_region(&dev, GB, MB, "r"), NULL);
        (void)pm_fault_arm(step);
        CHECK_EQ(PTR_ERR(devm_request_free_mem_region(&dev, &iomem_resource, MB)), -ENOMEM);
        CHECK_EQ(iomem_resource.child, NULL, "nothing is left behind");
    }
    REQUIRE_NE(devm_request_mem_region(&dev, GB, MB, "r"), NULL);
    REQUIRE(!IS_ERR(devm_request_free_mem_region(&dev, &iomem_resource, MB)));
    CHECK_EQ(devres_release_all(&dev), 2);
    CHECK_EQ(iomem_resource.child, NULL);
}
