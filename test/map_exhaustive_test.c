// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every case of a small world. All triples of closed ranges on a domain of 6 points: the first two shape the
 * map, the third goes through every operation. The domain lies at 0, in the middle and at the top of the key
 * space, and once more stretched over a tree of many nodes. Then all orders of seven awkward ranges.
 */
#include "test/model/world.h"
#include "test/shim/ctest.h"

/* Keys to a point where the six are to fill many nodes. */
enum { STRETCH = 40 };

/* AddressSanitizer sees the same memory in each of the cases: every so many there. */
#if defined(__SANITIZE_ADDRESS__)
enum { EVERY = 5 };
#else
enum { EVERY = 1 };
#endif

static struct span span_of(const struct world *world, unsigned number)
{
    unsigned first = 0;
    unsigned count = POINTS;

    while (number >= count) {
        number -= count--;
        first++;
    }
    return world_span(world, first, first + number);
}

static void do_nothing(struct world *world, struct span span)
{
    (void)world;
    (void)span;
}

/* What the first two ranges of a triple may have done, and what the third does then. */
static world_operation *const first[] = {world_store, world_insert};
static world_operation *const second[] = {world_store, world_carve};
static world_operation *const third[] = {
    world_store,   world_insert,      world_carve, world_erase,       world_erase_exact,
    world_replace, world_coalesce,    do_nothing,  world_splice,      world_splice_joining,
    world_update,  world_erase_value, world_evict, world_carve_value, world_resize};

static void run_triple(struct world *world, const struct span span[3], unsigned way)
{
    world_operation *const last_step = third[way / 4];

    world_reset(world);
    first[way % 2](world, span[0]);
    second[way / 2 % 2](world, span[1]);
    last_step(world, span[2]);
    world_compare(world, span[2]);
    if (last_step == do_nothing) {
        world_ask(world, span[2]);
        world_ask_cursor(world, span[2]);
        world_ask_gap(world, span[2]);
    }
}

/* All triples; each in every one of the ways, or each in one of them in turn. */
static void run_triples(struct world *world, bool all_ways)
{
    enum { WAYS = 4 * sizeof third / sizeof third[0] };

    for (unsigned i = 0; i < RANGES * RANGES * RANGES; i += EVERY) {
        const struct span span[3] = {span_of(world, i / RANGES / RANGES), span_of(world, i / RANGES % RANGES),
                                     span_of(world, i % RANGES)};

        for (unsigned way = 0; way < (all_ways ? WAYS : 1); way++) {
            run_triple(world, span, all_ways ? way : (i * 7 + i / RANGES) % WAYS);
        }
        world->cases++;
    }
    REQUIRE_EQ(world->cases, (9261u + EVERY - 1) / EVERY);
}

static void triples_at(uint64_t base, unsigned width, bool all_ways)
{
    for (int options = 0; options < 4; options++) {
        struct world world;

        world_init(&world, base, width, options % 2, options / 2);
        run_triples(&world, all_ways);
        world_free(&world);
    }
}

TEST_CASE(map_exhaustive, triples_at_bottom)
{
    triples_at(0, 1, true);
}

TEST_CASE(map_exhaustive, triples_in_middle)
{
    triples_at((UINT64_C(1) << 63) - 3, 1, true);
}

TEST_CASE(map_exhaustive, triples_at_top)
{
    triples_at(UINT64_MAX - 5, 1, true);
}

TEST_CASE(map_exhaustive, triples_across_nodes_at_bottom)
{
    triples_at(0, STRETCH, test_scale() > 1);
}

TEST_CASE(map_exhaustive, triples_across_nodes_in_middle)
{
    triples_at((UINT64_C(1) << 63) - 3 * STRETCH, STRETCH, test_scale() > 1);
}

TEST_CASE(map_exhaustive, triples_across_nodes_at_top)
{
    triples_at(UINT64_MAX - POINTS * STRETCH + 1, STRETCH, test_scale() > 1);
}

/* Seven ranges that touch, nest, cross, repeat and stick out of each other, in units of one point. */
static const unsigned char awkward[7][2] = {{0, 0}, {0, 2}, {1, 1}, {1, 4}, {2, 3}, {4, 5}, {3, 3}};

static void run_order(struct world *world, const unsigned order[7], world_operation *const operation)
{
    world_reset(world);
    for (unsigned i = 0; i < 7; i++) {
        struct span span = world_span(world, awkward[order[i]][0], awkward[order[i]][1]);

        if (operation == world_insert && world->crowded) {
            world_carve(world, span);
        }
        operation(world, span);
        world_compare(world, span);
        world_ask(world, span);
    }
    world->cases++;
}

/* Heap's algorithm would do; counting in factorial base needs no state. */
static void nth_order(unsigned number, unsigned order[7])
{
    unsigned left[7] = {0, 1, 2, 3, 4, 5, 6};

    for (unsigned count = 7; count > 0; count--) {
        unsigned chosen = number % count;

        number /= count;
        order[7 - count] = left[chosen];
        for (unsigned i = chosen; i + 1 < count; i++) {
            left[i] = left[i + 1];
        }
    }
}

static void all_orders(uint64_t base, unsigned width, unsigned step)
{
    static world_operation *const operation[] = {world_store, world_insert};

    for (unsigned kind = 0; kind < 4; kind++) {
        struct world world;

        world_init(&world, base, width, true, kind / 2);
        for (unsigned number = 0; number < 5040; number += step) {
            unsigned order[7];

            nth_order(number, order);
            run_order(&world, order, operation[kind % 2]);
        }
        world_free(&world);
    }
}

TEST_CASE(map_exhaustive, orders_of_seven)
{
    all_orders(0, 1, 1);
    all_orders(UINT64_MAX - 5, 1, 1);
}

TEST_CASE(map_exhaustive, orders_of_seven_across_nodes)
{
    all_orders(1000, STRETCH, test_scale() > 1 ? 1 : 5);
}
