// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random operations of every kind against the oracle, over key spaces of different shape and with every
 * search kernel. What the map answers, what it reports as displaced and what it holds must be the oracle's,
 * and its structure must stay valid.
 */
#include "test/check/kernels.h"
#include "test/model/model.h"
#include "test/shim/ctest.h"

/* AddressSanitizer is slow: so many times less there. */
#if defined(__SANITIZE_ADDRESS__)
enum { LESS = 5 };
#else
enum { LESS = 1 };
#endif

struct plan {
    struct keyspace space;
    bool offsets, track_gaps;
    uint64_t steps, interval;
};

static void run_plan(const void *context)
{
    const struct plan *plan = context;
    struct model model;

    model_init(&model, &plan->space, plan->offsets, plan->track_gaps, plan->space.low + plan->steps);
    model_run(&model, plan->steps * test_scale() / LESS, plan->interval);
    model_free(&model);
}

/*
 * With every kernel, with plain values and with values that depend on the start of their range; and twice more in
 * maps that track gaps.
 */
static void run(struct plan plan)
{
    plan.offsets = false;
    for_each_kernel(run_plan, &plan);
    plan.offsets = true;
    for_each_kernel(run_plan, &plan);
    plan.track_gaps = true;
    plan.steps /= 2;
    run_plan(&plan);
    plan.offsets = false;
    run_plan(&plan);
}

TEST_CASE(map_model, tiny)
{
    run((struct plan){
        .space = {"tiny", 0, 15, .length_bits = 3, .wide_one_in = 20},
        .steps = 100000,
        .interval = 100,
    });
}

TEST_CASE(map_model, tiny_at_top)
{
    run((struct plan){
        .space = {"tiny at top", UINT64_MAX - 15, UINT64_MAX, .length_bits = 3, .wide_one_in = 20},
        .steps = 100000,
        .interval = 100,
    });
}

TEST_CASE(map_model, dense)
{
    run((struct plan){
        .space = {"dense", 1000, 5095, .length_bits = 3, .wide_one_in = 200},
        .steps = 100000,
        .interval = 1000,
    });
}

TEST_CASE(map_model, dense_at_bottom)
{
    run((struct plan){
        .space = {"dense at bottom", 0, 700, .length_bits = 4, .wide_one_in = 100},
        .steps = 100000,
        .interval = 500,
    });
}

TEST_CASE(map_model, dense_at_top)
{
    run((struct plan){
        .space = {"dense at top", UINT64_MAX - 2000, UINT64_MAX, .length_bits = 2, .wide_one_in = 500},
        .steps = 100000,
        .interval = 1000,
    });
}

TEST_CASE(map_model, sparse)
{
    run((struct plan){
        .space = {"sparse", 0, UINT64_MAX, .length_bits = 56, .wide_one_in = 2000, .preload = 500},
        .steps = 100000,
        .interval = 1000,
    });
}

TEST_CASE(map_model, clustered)
{
    run((struct plan){
        .space = {"clustered", 0, UINT64_MAX, .length_bits = 4, .wide_one_in = 1000, .clusters = 9},
        .steps = 100000,
        .interval = 1000,
    });
}

/* Across the key at which signed comparison goes wrong. */
TEST_CASE(map_model, around_sign_bit)
{
    run((struct plan){
        .space = {"around the sign bit", (UINT64_C(1) << 63) - 1500, (UINT64_C(1) << 63) + 1500,
                  .length_bits = 3, .wide_one_in = 300, .preload = 300},
        .steps = 50000,
        .interval = 1000,
    });
}

/* Four levels and more; wide updates are rare, so that it stays large. */
TEST_CASE(map_model, large)
{
    run((struct plan){
        .space = {"large", 0, UINT64_C(1) << 40, .length_bits = 22, .wide_one_in = 20000, .preload = 30000},
        .steps = 30000,
        .interval = 15000,
    });
}

/* The same, with updates over thousands of ranges now and then. */
TEST_CASE(map_model, wide)
{
    run((struct plan){
        .space = {"wide", 5, UINT64_C(1) << 40, .length_bits = 33, .wide_one_in = 500, .preload = 10000},
        .steps = 20000,
        .interval = 2000,
    });
}
