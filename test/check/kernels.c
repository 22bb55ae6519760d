// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/kernels.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

/* As the processor tells us, not the library: a kernel that is missing without a reason is a failure, not a skip. */
static bool has_kernel(const char *name)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (strcmp(name, "avx2") == 0) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
    }
    if (strcmp(name, "avx512") == 0) {
        return has_kernel("avx2") && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq");
    }
#endif
    (void)name; /* "portable", and "neon" on arm64: everywhere */
    return true;
}

#if defined(__SANITIZE_THREAD__)
static const char *const names[] = {"portable"}; /* the only one there: kernel/select.c */
#elif defined(__aarch64__)
static const char *const names[] = {"portable", "neon"};
#else
static const char *const names[] = {"portable", "avx2", "avx512"};
#endif

const char *best_kernel(void)
{
    size_t i = sizeof names / sizeof names[0] - 1;

    while (!has_kernel(names[i])) {
        i--;
    }
    return names[i];
}

void for_each_kernel(kernel_body *body, const void *context)
{
    const char *first = rangemap_kernel();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        REQUIRE_EQ(rangemap_select_kernel(names[i]), has_kernel(names[i]) ? 0 : -ENOTSUP, "%s", names[i]);
        if (has_kernel(names[i])) {
            REQUIRE_STR_EQ(rangemap_kernel(), names[i]);
            body(context);
        }
    }
    REQUIRE_EQ(rangemap_select_kernel(first), 0);
}
