// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "rangemap/kernel/kernel.h"

/*
 * Best first. ThreadSanitizer takes a vector load of a node's first line for a race with the stamp in its
 * meta, a lane that is masked out; under it only the portable kernel is there.
 */
static const struct rm_kernel *const kernels[] = {
#if defined(RM_RANK_AVX512) && !defined(RM_TSAN)
    &rm_kernel_avx512,
#endif
#if defined(RM_RANK_AVX2) && !defined(RM_TSAN)
    &rm_kernel_avx2,
#endif
#if defined(RM_RANK_NEON) && !defined(RM_TSAN)
    &rm_kernel_neon,
#endif
    &rm_kernel_portable,
};

enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const struct rm_kernel *rm_kernel_selected = &rm_kernel_portable;

static void use(const struct rm_kernel *kernel)
{
    __atomic_store_n(&rm_kernel_selected, kernel, __ATOMIC_RELAXED);
    __atomic_store_n(&rm_rank_selected, kernel->rank, __ATOMIC_RELAXED);
    __atomic_store_n(&rm_path_descend_selected, kernel->descend, __ATOMIC_RELAXED);
    __atomic_store_n(&rm_splice_selected, kernel->splice, __ATOMIC_RELAXED);
    __atomic_store_n(&rm_short_update_selected, kernel->short_update, __ATOMIC_RELAXED);
}

/* Also for programs that only ask which one it is. */
__attribute__((constructor)) void rm_kernel_select_best(void)
{
    unsigned i = 0;

#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    while (i + 1 < KERNELS && !kernels[i]->is_supported()) {
        i++;
    }
    use(kernels[i]);
}

int rm_kernel_select(const char *name)
{
    for (unsigned i = 0; i < KERNELS; i++) {
        if (strcmp(kernels[i]->name, name) == 0) {
            if (!kernels[i]->is_supported()) {
                return -ENOTSUP;
            }
            use(kernels[i]);
            return 0;
        }
    }
    return -ENOENT;
}
