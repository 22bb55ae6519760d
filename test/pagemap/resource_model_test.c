// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tree of resources against what is plain byte by byte: all ranges of a few bytes, and all holes of a few sections.
 */
#include <errno.h>

#include "pagemap/device.h"
#include "test/shim/ctest.h"

enum { BYTES = 7 };

static struct resource bytes_from_to(unsigned start, unsigned end)
{
    return (struct resource){.start = start, .end = end, .name = "some", .flags = IORESOURCE_MEM};
}

static bool has(const struct resource *resource, resource_size_t byte)
{
    return resource->start <= byte && byte <= resource->end;
}

static unsigned bytes_in_both(const struct resource *one, const struct resource *other)
{
    unsigned count = 0;

    for (resource_size_t byte = other->start; byte <= other->end; byte++) {
        count += has(one, byte);
    }
    return count;
}

static bool meet(const struct resource *one, const struct resource *other)
{
    return bytes_in_both(one, other) > 0;
}

static bool is_inside(const struct resource *inner, const struct resource *outer)
{
    return bytes_in_both(outer, inner) == resource_size(inner);
}

/* Calls `check` with each range of bytes. */
static void with_each(void (*check)(struct resource one, void *context), void *context)
{
    for (unsigned start = 0; start < BYTES; start++) {
        for (unsigned end = start; end < BYTES; end++) {
            check(bytes_from_to(start, end), context);
        }
    }
}

/* ---- two ranges ---- */

static void check_request(struct resource *root, struct resource *one, struct resource *other)
{
    int error = request_resource(root, other);

    CHECK_EQ(error, meet(one, other) ? -EBUSY : 0, "[%u, %u] beside [%u, %u]", (unsigned)other->start,
             (unsigned)other->end, (unsigned)one->start, (unsigned)one->end);
    if (error == 0) {
        CHECK_EQ(release_resource(other), 0);
    }
}

static void check_insert(struct resource *root, struct resource *one, struct resource *other)
{
    bool fits = !meet(one, other) || is_inside(one, other) || is_inside(other, one);
    int error = insert_resource(root, other);

    CHECK_EQ(error, fits ? 0 : -EBUSY, "[%u, %u] over [%u, %u]", (unsigned)other->start, (unsigned)other->end,
             (unsigned)one->start, (unsigned)one->end);
    if (error != 0) {
        return;
    }
    if (!meet(one, other)) {
        CHECK_EQ(one->parent, root);
        CHECK_EQ(other->parent, root);
    } else if (!is_inside(other, one)) {
        CHECK_EQ(one->parent, other);
    } else if (!is_inside(one, other)) {
        CHECK_EQ(other->parent, one);
    }
    CHECK_EQ(remove_resource(other), 0);
    CHECK_EQ(one->parent, root);
}

static void beside(struct resource other, void *context)
{
    struct resource root = bytes_from_to(0, BYTES - 1), one = *(struct resource *)context;

    REQUIRE_EQ(request_resource(&root, &one), 0);
    check_request(&root, &one, &other);
    check_insert(&root, &one, &other);
    CHECK_EQ(root.child, &one);
}

static void with_each_other(struct resource one, void *context)
{
    (void)context;
    with_each(beside, &one);
}

TEST_CASE(resource_model, two_ranges)
{
    with_each(with_each_other, NULL);
}

/* ---- one range, where another two are ---- */

struct siblings {
    struct resource root, one, other;
};

static void adjust(struct resource wanted, void *context)
{
    struct siblings *here = context;
    struct resource before = here->one;
    int error = adjust_resource(&here->one, wanted.start, resource_size(&wanted));

    CHECK_EQ(error, meet(&wanted, &here->other) ? -EBUSY : 0, "to [%u, %u] beside [%u, %u]",
             (unsigned)wanted.start, (unsigned)wanted.end, (unsigned)here->other.start,
             (unsigned)here->other.end);
    if (error == 0) {
        REQUIRE_EQ(adjust_resource(&here->one, before.start, resource_size(&before)), 0);
    }
}

/* The lowest start that is right for [lowest, highest], or BYTES. */
static unsigned place_for(const struct siblings *here, unsigned size, unsigned align, struct resource within)
{
    for (unsigned start = 0; start + size <= BYTES; start += align) {
        struct resource place = bytes_from_to(start, start + size - 1);

        if (is_inside(&place, &within) && !meet(&place, &here->one) && !meet(&place, &here->other)) {
            return start;
        }
    }
    return BYTES;
}

static void allocate(struct resource within, void *context)
{
    struct siblings *here = context;

    for (unsigned size = 1; size <= BYTES; size++) {
        for (unsigned align = 1; align <= 4; align *= 2) {
            struct resource fresh = {.name = "fresh"};
            unsigned start = place_for(here, size, align, within);
            int error =
                allocate_resource(&here->root, &fresh, size, within.start, within.end, align, NULL, NULL);

            CHECK_EQ(error, start == BYTES ? -EBUSY : 0, "%u bytes by %u in [%u, %u]", size, align,
                     (unsigned)within.start, (unsigned)within.end);
            if (error == 0) {
                CHECK_EQ(fresh.start, start);
                CHECK_EQ(resource_size(&fresh), size);
                REQUIRE_EQ(release_resource(&fresh), 0);
            }
        }
    }
}

static void look(struct resource other, void *context)
{
    struct siblings here = {bytes_from_to(0, BYTES - 1), *(struct resource *)context, other};

    if (meet(&here.one, &here.other)) {
        return;
    }
    REQUIRE_EQ(request_resource(&here.root, &here.one), 0);
    REQUIRE_EQ(request_resource(&here.root, &here.other), 0);
    with_each(adjust, &here);
    with_each(allocate, &here);
}

static void with_each_sibling(struct resource one, void *context)
{
    (void)context;
    with_each(look, &one);
}

TEST_CASE(resource_model, a_range_where_two_are)
{
    with_each(with_each_sibling, NULL);
}

/* ---- the machine's own tree ---- */

/* Counts the bytes of a part. */
static int count_bytes(struct resource *part, void *bytes)
{
    *(unsigned *)bytes += (unsigned)resource_size(part);
    return 0;
}

static void ask(struct resource within, void *context)
{
    const struct siblings *here = context;
    unsigned taken = bytes_in_both(&here->one, &within) + bytes_in_both(&here->other, &within), seen = 0;

    CHECK_EQ(region_intersects(within.start, resource_size(&within), IORESOURCE_MEM, IORES_DESC_NONE),
             taken == 0 ? REGION_DISJOINT : REGION_INTERSECTS, "[%u, %u]: %u bytes", (unsigned)within.start,
             (unsigned)within.end, taken);
    CHECK_EQ(
        walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM, within.start, within.end, &seen, count_bytes),
        taken == 0 ? -EINVAL : 0, "[%u, %u]", (unsigned)within.start, (unsigned)within.end);
    CHECK_EQ(seen, taken, "[%u, %u]", (unsigned)within.start, (unsigned)within.end);
}

static void put_into_machine(struct resource other, void *context)
{
    struct siblings here = {bytes_from_to(0, BYTES - 1), *(struct resource *)context, other};

    if (meet(&here.one, &here.other)) {
        return;
    }
    REQUIRE_EQ(request_resource(&iomem_resource, &here.one), 0);
    REQUIRE_EQ(request_resource(&iomem_resource, &here.other), 0);
    with_each(ask, &here);
    REQUIRE_EQ(release_resource(&here.one), 0);
    REQUIRE_EQ(release_resource(&here.other), 0);
}

static void with_each_in_machine(struct resource one, void *context)
{
    (void)context;
    with_each(put_into_machine, &one);
}

TEST_CASE(resource_model, of_the_machine)
{
    with_each(with_each_in_machine, NULL);
    CHECK_EQ(iomem_resource.child, NULL);
}

/* ---- free sections ---- */

enum { SECTIONS = 5, FREE, FIRST_BYTE, LAST_BYTE, WHOLE, USES };

/* Takes of each section what the digits of `uses` say; *free has a bit for each free one. */
static void take_sections(unsigned uses, struct resource *taken, unsigned *free)
{
    *free = 0;
    for (unsigned i = 0; i < SECTIONS; i++, uses /= USES - FREE) {
        unsigned use = FREE + uses % (USES - FREE);
        resource_size_t start = i * SECTION_SIZE, end = start + SECTION_SIZE - 1;

        taken[i] = (struct resource){
            .start = use == LAST_BYTE ? end : start, .end = use == FIRST_BYTE ? start : end, .name = "taken"};
        if (use == FREE) {
            *free |= 1u << i;
        } else {
            REQUIRE_EQ(request_resource(&iomem_resource, &taken[i]), 0);
        }
    }
}

/* The highest of so many free sections in a row, from `lowest` to below `end`, or SECTIONS. */
static unsigned highest_hole(unsigned free, unsigned sections, unsigned lowest, unsigned end)
{
    unsigned run = (1u << sections) - 1;

    for (unsigned start = end; start-- > lowest;) {
        if (start + sections <= end && (free >> start & run) == run) {
            return start;
        }
    }
    return SECTIONS;
}

static void check_hole(unsigned free, unsigned sections, unsigned lowest, unsigned end)
{
    struct resource base = {.start = lowest * SECTION_SIZE, .end = end * SECTION_SIZE - 1, .name = "base"};
    struct resource *region = request_free_mem_region(&base, sections * SECTION_SIZE, "hole");
    unsigned expected = highest_hole(free, sections, lowest, end);

    CHECK_EQ(IS_ERR(region) ? (int)PTR_ERR(region) : 0, expected == SECTIONS ? -ERANGE : 0,
             "%u of [%u, %u), free %#x", sections, lowest, end, free);
    if (!IS_ERR(region)) {
        CHECK_EQ(region->start, expected * SECTION_SIZE, "%u of [%u, %u), free %#x", sections, lowest, end,
                 free);
        release_mem_region(region->start, resource_size(region));
    }
}

TEST_CASE(resource_model, free_sections)
{
    unsigned all = 1, free;

    for (unsigned i = 0; i < SECTIONS; i++) {
        all *= USES - FREE;
    }
    for (unsigned uses = 0; uses < all; uses++) {
        struct resource taken[SECTIONS];

        take_sections(uses, taken, &free);
        for (unsigned lowest = 0; lowest < SECTIONS; lowest++) {
            for (unsigned end = lowest + 1; end <= SECTIONS; end++) {
                for (unsigned sections = 1; sections <= SECTIONS; sections++) {
                    check_hole(free, sections, lowest, end);
                }
            }
        }
        for (unsigned i = 0; i < SECTIONS; i++) {
            if ((free >> i & 1) == 0) {
                REQUIRE_EQ(release_resource(&taken[i]), 0);
            }
        }
    }
    CHECK_EQ(iomem_resource.child, NULL);
}
