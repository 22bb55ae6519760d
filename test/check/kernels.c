// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/kernels.h"

#include <errno.h>
#include <stddef.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

void for_each_kernel(kernel_body *body, const void *context)
{
#if defined(__aarch64__)
    static const char *const name[] = {"portable", "neon"};
#else
    static const char *const name[] = {"portable", "avx2", "avx512"};
#endif
    const char *first = rangemap_kernel();

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        int result = rangemap_select_kernel(name[i]);

        if (result == -ENOTSUP) {
            continue;
        }
        REQUIRE_EQ(result, 0, "%s", name[i]);
        REQUIRE_STR_EQ(rangemap_kernel(), name[i]);
        body(context);
    }
    REQUIRE_EQ(rangemap_select_kernel(first), 0);
}
