// SPDX-License-Identifier: BSD-2-Clause
/* A tree of resources beside a list that says of each which one it lies in: any calls, in any order. */
#include <errno.h>

#include "pagemap/device.h"
#include "test/pagemap/warnings.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { NODES = 12, BYTES = 32, OUT = -1, ROOT = NODES, ROUNDS = 4000 };

static struct resource node[NODES];
static int inside[NODES]; /* OUT, ROOT or the number of the one around it */

static struct resource *at(int number)
{
    return number == ROOT ? &iomem_resource : &node[number];
}

static bool contains(const struct resource *outer, const struct resource *inner)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

static bool are_apart(const struct resource *one, const struct resource *other)
{
    return one->end < other->start || other->end < one->start;
}

static bool are_equal(const struct resource *one, const struct resource *other)
{
    return one->start == other->start && one->end == other->end;
}

/* The innermost that has it, if it is not of its very bounds. */
static int innermost(const struct resource *fresh)
{
    int around = ROOT;

    for (int i = 0; i < NODES; i++) {
        if (inside[i] == around && contains(&node[i], fresh) && !are_equal(&node[i], fresh)) {
            around = i;
            i = -1;
        }
    }
    return around;
}

static int children(int number)
{
    int count = 0;

    for (int i = 0; i < NODES; i++) {
        count += inside[i] == number;
    }
    return count;
}

/* ---- the calls ---- */

static void renew(struct prng *prng, int number)
{
    static const unsigned long flags[] = {IORESOURCE_MEM, IORESOURCE_MEM | IORESOURCE_BUSY,
                                          IORESOURCE_SYSTEM_RAM};
    uint64_t start = prng_below(prng, BYTES);

    node[number] = (struct resource){.start = start,
                                     .end = prng_between(prng, start, BYTES - 1),
                                     .name = "node",
                                     .flags = flags[prng_below(prng, 3)],
                                     .desc = prng_below(prng, 3)};
}

static void insert(struct prng *prng, int number)
{
    bool fits = true;
    int around;

    renew(prng, number);
    for (int i = 0; i < NODES; i++) {
        fits &= inside[i] == OUT || are_apart(&node[i], &node[number]) || contains(&node[i], &node[number]) ||
                contains(&node[number], &node[i]);
    }
    REQUIRE_EQ(insert_resource(&iomem_resource, &node[number]), fits ? 0 : -EBUSY);
    if (fits) {
        around = innermost(&node[number]);
        for (int i = 0; i < NODES; i++) {
            inside[i] = inside[i] == around && contains(&node[number], &node[i]) ? number : inside[i];
        }
        inside[number] = around;
    }
}

static void request(struct prng *prng, int number)
{
    int around = (int)prng_below(prng, NODES + 1);
    bool fits;

    around = around == ROOT || inside[around] != OUT ? around : ROOT;
    renew(prng, number);
    fits = contains(at(around), &node[number]);
    for (int i = 0; i < NODES; i++) {
        fits &= inside[i] != around || are_apart(&node[i], &node[number]);
    }
    REQUIRE_EQ(request_resource(at(around), &node[number]), fits ? 0 : -EBUSY);
    inside[number] = fits ? around : OUT;
}

static void take_out(struct prng *prng, int number)
{
    if (children(number) == 0 && prng_below(prng, 2) == 0) {
        REQUIRE_EQ(release_resource(&node[number]), 0);
    } else {
        REQUIRE_EQ(remove_resource(&node[number]), 0);
        for (int i = 0; i < NODES; i++) {
            inside[i] = inside[i] == number ? inside[number] : inside[i];
        }
    }
    inside[number] = OUT;
    CHECK_EQ(release_resource(&node[number]), -EINVAL);
    CHECK_EQ(remove_resource(&node[number]), -EINVAL);
}

static void adjust(struct prng *prng, int number)
{
    uint64_t start = prng_below(prng, BYTES);
    struct resource moved = {.start = start, .end = prng_between(prng, start, BYTES - 1)};
    bool fits = contains(at(inside[number]), &moved);
    int error = adjust_resource(&node[number], start, resource_size(&moved));

    for (int i = 0; i < NODES; i++) {
        fits &= inside[i] != number || contains(&moved, &node[i]);
        fits &= i == number || inside[i] != inside[number] || are_apart(&node[i], &moved);
    }
    REQUIRE_EQ(error, fits ? 0 : -EBUSY);
    if (fits) {
        CHECK(are_equal(&node[number], &moved));
    }
}

/* ---- what is looked at ---- */

/* Each list has those that are to be in it, by their order. */
static void check_children(int number)
{
    const struct resource *before = NULL;
    int count = 0;

    for (const struct resource *child = at(number)->child; child != NULL; child = child->sibling) {
        REQUIRE_EQ(inside[child - node], number);
        REQUIRE_EQ(child->parent, at(number));
        CHECK(before == NULL || before->end < child->start);
        before = child;
        REQUIRE_LE(++count, NODES);
    }
    CHECK_EQ(count, children(number));
}

static void check_tree(void)
{
    check_children(ROOT);
    for (int i = 0; i < NODES; i++) {
        if (inside[i] != OUT) {
            check_children(i);
        } else {
            CHECK_EQ(node[i].parent, NULL);
            CHECK_EQ(node[i].sibling, NULL);
            CHECK_EQ(node[i].child, NULL);
        }
    }
}

struct question {
    uint64_t start, end;
    unsigned long flags, desc;
    unsigned seen;
    bool stops;
};

/* Which bytes are in one that matches. */
static unsigned bytes_of(const struct question *question)
{
    unsigned count = 0;

    for (uint64_t byte = question->start; byte <= question->end; byte++) {
        bool is_in = false;

        for (int i = 0; i < NODES; i++) {
            is_in |= inside[i] != OUT && node[i].start <= byte && byte <= node[i].end &&
                     (node[i].flags & question->flags) == question->flags &&
                     (question->desc == IORES_DESC_NONE || node[i].desc == question->desc);
        }
        count += is_in;
    }
    return count;
}

static int see(struct resource *part, void *context)
{
    struct question *question = context;

    CHECK_GE(part->start, question->start);
    CHECK_LE(part->end, question->end);
    CHECK_EQ(part->parent, NULL);
    CHECK_EQ(part->sibling, NULL);
    CHECK_EQ(part->child, NULL);
    CHECK_STR_EQ(part->name, "node");
    question->seen += (unsigned)resource_size(part);
    return question->stops ? 5 : 0;
}

static void ask(struct prng *prng)
{
    static const unsigned long flags[] = {IORESOURCE_MEM, IORESOURCE_BUSY, IORESOURCE_SYSTEM_RAM, 0};
    struct question question = {.start = prng_below(prng, BYTES),
                                .flags = flags[prng_below(prng, 4)],
                                .stops = prng_below(prng, 4) == 0};
    struct question of_any;
    unsigned bytes;

    question.end = prng_between(prng, question.start, BYTES - 1);
    of_any = question;
    of_any.flags = 0;
    question.desc = prng_below(prng, 3);
    bytes = bytes_of(&question);
    CHECK_EQ(
        region_intersects(question.start, question.end - question.start + 1, question.flags, question.desc),
        bytes == 0                   ? REGION_DISJOINT
        : bytes == bytes_of(&of_any) ? REGION_INTERSECTS
                                     : REGION_MIXED);
    CHECK_EQ(walk_iomem_res_desc(question.desc, question.flags, question.start, question.end, &question, see),
             bytes == 0       ? -EINVAL
             : question.stops ? 5
                              : 0);
    CHECK(question.seen == bytes || (question.stops && question.seen > 0 && question.seen < bytes));
}

static void look_up(uint64_t start)
{
    struct resource *found = lookup_resource(&iomem_resource, start), *expected = NULL;

    for (int i = 0; i < NODES; i++) {
        expected = inside[i] == ROOT && node[i].start == start ? &node[i] : expected;
    }
    CHECK_EQ(found, expected);
}

TEST_CASE(resource_tree, beside_a_list)
{
    struct prng prng = prng_stream(test_seed(), 3);

    for (int i = 0; i < NODES; i++) {
        inside[i] = OUT;
    }
    for (unsigned round = 0; round < ROUNDS * test_scale(); round++) {
        int number = (int)prng_below(&prng, NODES);

        if (inside[number] == OUT) {
            (prng_below(&prng, 3) == 0 ? request : insert)(&prng, number);
        } else {
            (prng_below(&prng, 3) == 0 ? adjust : take_out)(&prng, number);
        }
        check_tree();
        ask(&prng);
        look_up(prng_below(&prng, BYTES));
    }
    for (int i = 0; i < NODES; i++) {
        if (inside[i] != OUT) {
            take_out(&prng, i);
        }
    }
    CHECK_EQ(iomem_resource.child, NULL);
}

/* Of no size is none, also where its last byte, one before the first, would be the last of all. */
TEST_CASE(resource_tree, of_no_size)
{
    struct resource all = {.end = UINT64_MAX, .name = "all"}, part = {.start = 5, .end = 9, .name = "part"};

    REQUIRE_EQ(request_resource(&all, &part), 0);
    CHECK_EQ(adjust_resource(&part, 0, 0), -EBUSY);
    CHECK_EQ(adjust_resource(&part, 5, 0), -EBUSY);
    CHECK_EQ(adjust_resource(&part, UINT64_MAX, 2), -EBUSY, "nor one that wraps");
    CHECK_EQ(part.start, 5);
    CHECK_EQ(part.end, 9);
    CHECK_EQ(adjust_resource(&part, UINT64_MAX, 1), 0);
    CHECK_EQ(adjust_resource(&part, 0, UINT64_MAX), 0);
    CHECK_EQ(part.end, UINT64_MAX - 1);
    CHECK_EQ(allocate_resource(&all, &part, 0, 0, UINT64_MAX, 1, NULL, NULL), -EINVAL);
    CHECK_EQ(release_resource(&part), 0);
    CHECK_EQ(all.child, NULL);
}

/* ---- regions ---- */

/* What a region says of itself; of its window it has the type and the description. */
static void check_region(const struct resource *region, struct resource expected)
{
    REQUIRE(region != NULL && !IS_ERR(region));
    CHECK_EQ(region->start, expected.start);
    CHECK_EQ(region->end, expected.end);
    CHECK_STR_EQ(region->name, expected.name);
    CHECK_EQ(region->flags, expected.flags);
    CHECK_EQ(region->desc, expected.desc);
    CHECK_EQ(region->parent, expected.parent);
}

/* Of the type of what it lies in, whatever else that is, and of what lies around. */
TEST_CASE(resource_tree, what_a_region_has_from_around_it)
{
    struct resource window = {
        .start = 4096, .end = 16383, .name = "window", .flags = IORESOURCE_MEM | 0x2000};
    struct resource soft = {.start = 8192, .end = 12287, .name = "soft", .desc = IORES_DESC_SOFT_RESERVED};
    struct resource *region;

    warnings_count();
    soft.flags = 0x100;
    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &soft), 0);
    region = request_mem_region(8192, 4096, "region");
    check_region(region, (struct resource){.start = 8192,
                                           .end = 12287,
                                           .name = "region",
                                           .flags = 0x100 | IORESOURCE_BUSY,
                                           .desc = IORES_DESC_SOFT_RESERVED,
                                           .parent = &soft});
    release_mem_region(8192, 4096);
    region = request_mem_region(4096, 4096, "region");
    check_region(region, (struct resource){.start = 4096,
                                           .end = 8191,
                                           .name = "region",
                                           .flags = IORESOURCE_MEM | IORESOURCE_BUSY,
                                           .parent = &window});
    release_mem_region(4096, 4096);
    CHECK_EQ(release_resource(&soft), 0);
    CHECK_EQ(release_resource(&window), 0);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(resource_tree, what_a_region_says)
{
    struct resource window = {
        .start = 4096, .end = 8191, .name = "window", .flags = IORESOURCE_SYSTEM_RAM, .desc = IORES_DESC_CXL};
    const struct resource part = {
        .start = 5000,
        .end = 5009,
        .name = "part",
        .flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_EXCLUSIVE | IORESOURCE_BUSY,
        .desc = IORES_DESC_CXL,
        .parent = &window,
    };
    struct resource *region;

    warnings_count();
    region = request_mem_region(0, 4096, "memory");
    check_region(region, (struct resource){.end = 4095,
                                           .name = "memory",
                                           .flags = IORESOURCE_MEM | IORESOURCE_BUSY,
                                           .parent = &iomem_resource});
    release_mem_region(0, 4096);
    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    region = __request_region(&window, 5000, 10, "part", IORESOURCE_EXCLUSIVE);
    check_region(region, part);
    release_mem_region(5000, 10);
    region = __request_region(&iomem_resource, 5000, 10, "part", IORESOURCE_EXCLUSIVE);
    check_region(region, part);
    CHECK_EQ(__request_region(&window, 4000, 97, "sticks out", 0), NULL);
    CHECK_EQ(__request_region(&window, 8191, 2, "sticks out", 0), NULL);
    release_mem_region(5000, 9);
    release_mem_region(4999, 11);
    CHECK_EQ(warnings_take(), 2, "not its bounds");
    release_mem_region(5000, 10);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(window.child, NULL);
    release_mem_region(4096, 4096);
    CHECK_EQ(warnings_take(), 1, "the window is not busy: nobody requested it");
    CHECK_EQ(release_resource(&window), 0);
    region = request_free_mem_region(&iomem_resource, 1, "free");
    check_region(region, (struct resource){.start = PHYSMEM_END - SECTION_SIZE + 1,
                                           .end = PHYSMEM_END,
                                           .name = "free",
                                           .flags = IORESOURCE_MEM | IORESOURCE_BUSY,
                                           .desc = IORES_DESC_DEVICE_PRIVATE_MEMORY,
                                           .parent = &iomem_resource});
    release_mem_region(region->start, SECTION_SIZE);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}
