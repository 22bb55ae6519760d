// SPDX-License-Identifier: BSD-2-Clause
/* Places beside a search byte by byte, at both ends of all numbers; and what devices and regions leave behind. */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "pagemap/device.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { BYTES = 16, MAX_TAKEN = 4, ROUNDS = 4000 };

/* ---- allocate_resource() ---- */

struct ask {
    struct resource root;
    resource_size_t size, min, max, align;
    int64_t shift; /* of what alignf() answers */
    bool has_alignf;
};

static bool is_taken(const struct ask *ask, resource_size_t byte)
{
    for (const struct resource *at = ask->root.child; at != NULL; at = at->sibling) {
        if (at->start <= byte && byte <= at->end) {
            return true;
        }
    }
    return false;
}

/* The bytes of a hole from `first` on that may be used: up to the next one that is taken, or not asked for. */
static resource_size_t free_bytes(const struct ask *ask, resource_size_t first)
{
    resource_size_t count = 0;

    while (count < BYTES && first + count >= first && ask->root.start <= first + count &&
           first + count <= ask->root.end && ask->min <= first + count && first + count <= ask->max &&
           !is_taken(ask, first + count)) {
        count++;
    }
    return count;
}

static resource_size_t answer(void *context, const struct resource *hole, resource_size_t size,
                              resource_size_t align)
{
    const struct ask *ask = context;

    CHECK_EQ(size, ask->size);
    CHECK_EQ(align, ask->align == 0 ? 1 : ask->align);
    CHECK_EQ(hole->flags, ask->root.flags);
    CHECK_EQ(hole->start % align, 0);
    if (hole->start <= hole->end) {
        CHECK_GE(free_bytes(ask, hole->start), hole->end - hole->start + 1, "all of it is free");
    }
    return hole->start + (resource_size_t)ask->shift;
}

/* Whether [start, start + size) is in a hole, the first usable byte of which is `first`. */
static bool fits_at(const struct ask *ask, resource_size_t first, resource_size_t *start)
{
    const resource_size_t count = free_bytes(ask, first), align = ask->align == 0 ? 1 : ask->align;
    resource_size_t skip = (align - first % align) % align;

    if (skip > UINT64_MAX - first) {
        return false;
    }
    if (ask->has_alignf && ask->shift < 0) {
        return false;
    }
    *start = first + skip + (ask->has_alignf ? (resource_size_t)ask->shift : 0);
    return *start >= first && *start - first < count && ask->size <= count - (*start - first);
}

static bool expected(const struct ask *ask, resource_size_t *start)
{
    bool before = false;

    for (resource_size_t i = 0; i < BYTES; i++) {
        bool usable = free_bytes(ask, ask->root.start + i) > 0;

        if (usable && !before && fits_at(ask, ask->root.start + i, start)) {
            return true;
        }
        before = usable;
    }
    return false;
}

static void check_place(struct ask *ask)
{
    struct resource fresh = {.name = "fresh"};
    resource_size_t start = 0;
    bool found = expected(ask, &start);

    REQUIRE_EQ(allocate_resource(&ask->root, &fresh, ask->size, ask->min, ask->max, ask->align,
                                 ask->has_alignf ? answer : NULL, ask),
               found ? 0 : -EBUSY, "%lu bytes in [%#lx, %#lx], align %lu", (unsigned long)ask->size,
               (unsigned long)ask->min, (unsigned long)ask->max, (unsigned long)ask->align);
    if (found) {
        CHECK_EQ(fresh.start, start);
        CHECK_EQ(fresh.end, start + (ask->size - 1));
        CHECK_EQ(fresh.parent, &ask->root);
        CHECK_EQ(release_resource(&fresh), 0);
    }
}

static void check_places(struct prng *prng, resource_size_t bottom)
{
    struct resource taken[MAX_TAKEN];
    struct ask ask = {.root = {.start = bottom, .end = bottom + (BYTES - 1), .flags = IORESOURCE_MEM}};

    for (unsigned i = 0; i < MAX_TAKEN; i++) {
        resource_size_t start = prng_below(prng, BYTES);

        taken[i] = (struct resource){
            .start = bottom + start,
            .end = bottom + prng_between(prng, start, start + 3 < BYTES ? start + 3 : BYTES - 1)};
        (void)request_resource(&ask.root, &taken[i]);
    }
    for (unsigned i = 0; i < 8; i++) {
        ask.size = prng_between(prng, 1, 5);
        ask.min = prng_below(prng, 2) == 0 ? 0 : bottom + prng_below(prng, BYTES);
        ask.max = prng_below(prng, 2) == 0 ? UINT64_MAX : bottom + prng_below(prng, BYTES);
        ask.align = prng_below(prng, 2) == 0 ? prng_below(prng, 2) : UINT64_C(1) << prng_between(prng, 1, 3);
        ask.has_alignf = prng_below(prng, 2) == 0;
        ask.shift = (int64_t)prng_below(prng, 5) - 1;
        check_place(&ask);
    }
    while (ask.root.child != NULL) {
        REQUIRE_EQ(release_resource(ask.root.child), 0);
    }
}

TEST_CASE(resource_edge, places_as_a_search_finds_them)
{
    struct prng prng = prng_stream(test_seed(), 11);

    for (unsigned round = 0; round < ROUNDS * test_scale(); round++) {
        check_places(&prng, 0);
        check_places(&prng, 3);
        check_places(&prng, UINT64_MAX - (BYTES - 1));
    }
}

/* ---- regions ---- */

/* Of no bytes there is none, also where the root is all there is; and what wraps is none. */
TEST_CASE(resource_edge, no_region)
{
    struct resource all = {.end = UINT64_MAX, .name = "all", .flags = IORESOURCE_MEM}, *one;

    CHECK_EQ(__request_region(&all, 0, 0, "none", 0), NULL);
    CHECK_EQ(__request_region(&all, 5, 0, "none", 0), NULL);
    CHECK_EQ(__request_region(&all, UINT64_MAX, 2, "wraps", 0), NULL);
    CHECK_EQ(__request_region(&all, 2, UINT64_MAX, "wraps", 0), NULL);
    one = __request_region(&all, UINT64_MAX, 1, "last", 0);
    REQUIRE_NE(one, NULL);
    CHECK_EQ(one->end, UINT64_MAX);
    __release_region(&all, UINT64_MAX, 1);
    one = __request_region(&all, 1, UINT64_MAX, "all but the first", 0);
    REQUIRE_NE(one, NULL);
    CHECK_EQ(one->end, UINT64_MAX);
    __release_region(&all, 1, UINT64_MAX);
    CHECK_EQ(all.child, NULL);
}

/* Of no bytes there is nothing to meet, wherever they are. */
TEST_CASE(resource_edge, no_bytes_meet_nothing)
{
    struct resource ram = {.start = 100, .end = 199, .name = "System RAM", .flags = IORESOURCE_SYSTEM_RAM};

    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    for (resource_size_t start = 98; start < 203; start++) {
        CHECK_EQ(region_intersects(start, 0, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE), REGION_DISJOINT);
        CHECK_EQ(region_intersects(start, 1, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE),
                 start < 100 || start > 199 ? REGION_DISJOINT : REGION_INTERSECTS);
    }
    CHECK_EQ(release_resource(&ram), 0);
}

/* In [bottom, top] with one byte taken, whole sections at their multiples: the highest that is free. */
static void check_free(resource_size_t bottom, resource_size_t top, resource_size_t size,
                       resource_size_t taken)
{
    struct resource base = {.start = bottom, .end = top, .name = "base"};
    struct resource *other = request_mem_region(taken, 1, "taken"), *region;
    const resource_size_t sections = (size + SECTION_SIZE - 1) / SECTION_SIZE;
    resource_size_t expected = UINT64_MAX;

    REQUIRE_NE(other, NULL);
    for (resource_size_t start = 0; start + sections * SECTION_SIZE - 1 <= top; start += SECTION_SIZE) {
        if (start >= bottom && (taken < start || taken > start + sections * SECTION_SIZE - 1)) {
            expected = start;
        }
    }
    region = request_free_mem_region(&base, size, "free");
    CHECK_EQ(IS_ERR(region) ? UINT64_MAX : region->start, expected);
    if (!IS_ERR(region)) {
        CHECK_EQ(resource_size(region), sections * SECTION_SIZE);
        release_mem_region(region->start, resource_size(region));
    } else {
        CHECK_EQ(PTR_ERR(region), -ERANGE);
    }
    release_mem_region(taken, 1);
}

TEST_CASE(resource_edge, free_regions_beside_one_byte)
{
    static const int64_t off[] = {-2, -1, 0, 1};
    static const resource_size_t sizes[] = {
        1, SECTION_SIZE - 1, SECTION_SIZE, SECTION_SIZE + 1, 2 * SECTION_SIZE, 3 * SECTION_SIZE};

    for (unsigned i = 0; i < 6 * 4 * 4; i++) {
        for (resource_size_t taken = 0; taken <= 6; taken++) {
            check_free((resource_size_t)((int64_t)(2 * SECTION_SIZE) + off[i / 4 % 4]),
                       (resource_size_t)((int64_t)(5 * SECTION_SIZE) + off[i % 4]), sizes[i / 16],
                       taken * SECTION_SIZE + (taken % 2 == 0 ? 0 : SECTION_SIZE - 1));
        }
    }
    CHECK_EQ(iomem_resource.child, NULL);
}

/* Sizes that wrap when they are rounded up. */
TEST_CASE(resource_edge, free_regions_of_any_size)
{
    struct resource base = {.end = UINT64_MAX, .name = "base"};
    const resource_size_t sizes[] = {UINT64_MAX, UINT64_MAX - SECTION_SIZE, UINT64_MAX - SECTION_SIZE + 1,
                                     UINT64_MAX - SECTION_SIZE + 2, PHYSMEM_END + 2};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_EQ(PTR_ERR(request_free_mem_region(&base, sizes[i], "free")), -ERANGE, "case %zu", i);
    }
    CHECK_EQ(PTR_ERR(request_free_mem_region(&base, 0, "free")), -EINVAL);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* ---- devices ---- */

TEST_CASE(resource_edge, a_new_device)
{
    struct device dev;

    memset(&dev, 0xff, sizeof dev);
    device_initialize(&dev, "dev");
    CHECK_STR_EQ(dev.name, "dev");
    CHECK_EQ(dev.numa_node, -1);
    CHECK_EQ(dev.kobj._references, 1);
    CHECK_EQ(dev.parent, NULL);
    CHECK_EQ(dev.driver_data, NULL);
    CHECK_EQ(dev.release, NULL);
    CHECK_EQ(dev.id, 0);
    CHECK_EQ(devres_release_all(&dev), 0);
    CHECK_EQ(pthread_mutex_trylock(&dev.mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&dev.mutex), 0);
}

static unsigned ran;

static void run(void *data)
{
    ran += *(unsigned *)data;
}

/* Beside other actions, whose data is no region; by both bounds. */
TEST_CASE(resource_edge, a_device_gives_back_its_region)
{
    struct resource alike = {.start = 4096, .end = 8191};
    struct device dev;

    warnings_count();
    ran = 0;
    device_initialize(&dev, "dev");
    REQUIRE_EQ(devm_add_action(&dev, run, &alike), 0);
    REQUIRE_NE(devm_request_mem_region(&dev, 4096, 4096, "bar"), NULL);
    REQUIRE_EQ(devm_add_action(&dev, run, &alike), 0);
    devm_release_mem_region(&dev, 4096, 4095);
    devm_release_mem_region(&dev, 4095, 4097);
    devm_release_mem_region(&dev, 4097, 4095);
    CHECK_EQ(warnings_take(), 3);
    CHECK_NE(iomem_resource.child, NULL);
    devm_release_mem_region(&dev, 4096, 4096);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(ran, 0);
    CHECK_EQ(devres_release_all(&dev), 2);
    CHECK_EQ(ran, 2 * 4096u);
    CHECK_EQ(devm_request_mem_region(&dev, 0, 0, "none"), NULL);
    CHECK_EQ(devres_release_all(&dev), 0);
}

static void make_and_end_all(struct device *dev)
{
    static unsigned one = 1;
    struct resource *region;

    for (unsigned i = 0; i < 2; i++) {
        REQUIRE_EQ(devm_add_action(dev, run, &one), 0);
        REQUIRE_NE(devm_request_mem_region(dev, 4096 * i, 4096, "bar"), NULL);
    }
    CHECK_EQ(devm_request_mem_region(dev, 0, 4096, "taken"), NULL);
    CHECK_EQ(devm_remove_action(dev, run, &one), 0);
    CHECK_EQ(devm_release_action(dev, run, &one), 0);
    devm_release_mem_region(dev, 0, 4096);
    CHECK_EQ(devres_release_all(dev), 1);
    region = request_free_mem_region(&iomem_resource, 1, "free");
    release_mem_region(region->start, resource_size(region));
    CHECK_EQ(PTR_ERR(request_free_mem_region(&iomem_resource, PHYSMEM_END + 2, "too large")), -ERANGE);
}

/* Of the heap; a sanitizer looks at that itself. */
TEST_CASE(resource_edge, no_memory_is_lost)
{
    struct device dev;
    size_t before;

    warnings_count();
    device_initialize(&dev, "dev");
    make_and_end_all(&dev);
    before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 200; i++) {
        make_and_end_all(&dev);
    }
    CHECK_LT(mallinfo2().uordblks, before + 4096);
    CHECK_EQ(warnings_take(), 0);
}
