// SPDX-License-Identifier: BSD-2-Clause
/* A kernel is used only where the processor has all that its code needs, and no more is asked for. */
#include <stdint.h>

#include "rangemap/kernel/kernel.h"
#include "test/shim/ctest.h"

#if defined(__x86_64__)

/* What __builtin_cpu_supports() reads, in gcc and clang: a bit for each feature. */
extern struct {
    unsigned vendor, type, subtype, features;
} __cpu_model __attribute__((visibility("hidden")));

enum {
    POPCNT = 2,
    AVX2 = 10,
    AVX512F = 15,
    BMI2 = 17,
    AVX512VL = 20,
    AVX512BW = 21,
    AVX512DQ = 22,
    FEATURES = 32
};

/* With all features but one at a time, on any processor: nothing of the kernel is run. */
static void check_support(const struct rm_kernel *kernel, uint32_t needed)
{
    const unsigned before = __cpu_model.features;

    for (unsigned missing = 0; missing < FEATURES; missing++) {
        __cpu_model.features = ~(1U << missing);
        CHECK_EQ(kernel->is_supported(), (needed >> missing & 1) == 0, "%s without feature %u", kernel->name,
                 missing);
    }
    __cpu_model.features = needed;
    CHECK(kernel->is_supported(), "%s", kernel->name);
    __cpu_model.features = 0;
    CHECK(!kernel->is_supported(), "%s", kernel->name);
    __cpu_model.features = before;
}

TEST_CASE(kernel_support, what_each_needs)
{
    check_support(&rm_kernel_avx2, 1U << AVX2 | 1U << BMI2 | 1U << POPCNT);
    check_support(&rm_kernel_avx512, 1U << AVX512F | 1U << AVX512VL | 1U << AVX512BW | 1U << AVX512DQ |
                                         1U << BMI2 | 1U << POPCNT);
}

#endif

TEST_CASE(kernel_support, the_portable_one_needs_nothing)
{
    CHECK(rm_kernel_portable.is_supported());
}
