// SPDX-License-Identifier: BSD-2-Clause
/* The searches, once for each instruction set; one set is selected for the process. Inside a section. */
#ifndef RANGEMAP_KERNEL_KERNEL_H
#define RANGEMAP_KERNEL_KERNEL_H

#include "rangemap/tree/short.h"

struct rm_kernel {
    const char *name;
    bool (*is_supported)(void);
    rm_rank_fn *rank;
    rm_path_descend_fn *descend;
    rm_splice_fn *splice;
    rm_short_update_fn *short_update;
    /* True on a hit. `value` may be NULL. */
    bool (*lookup)(const struct rangemap *map, uint64_t key, void **value);
    bool (*find)(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry);
    /*
     * Up to RM_BATCH_KEYS keys at once. Either output may be NULL; values and entries of misses are all zero.
     * Returns the number of hits.
     */
    unsigned (*lookup_batch)(const struct rangemap *map, const uint64_t *keys, unsigned count, void **values,
                             bool *hit);
    unsigned (*find_batch)(const struct rangemap *map, const uint64_t *keys, unsigned count,
                           struct rangemap_entry *entries, bool *hit);
};

enum { RM_BATCH_KEYS = 16 };

RM_INTERNAL extern const struct rm_kernel rm_kernel_portable;
#if defined(RM_RANK_AVX2)
RM_INTERNAL extern const struct rm_kernel rm_kernel_avx2;
#endif
#if defined(RM_RANK_AVX512)
RM_INTERNAL extern const struct rm_kernel rm_kernel_avx512;
#endif
#if defined(RM_RANK_NEON)
RM_INTERNAL extern const struct rm_kernel rm_kernel_neon;
#endif

/* The kernel in use: the portable one at first. Relaxed: any of them is right. */
RM_INTERNAL extern const struct rm_kernel *rm_kernel_selected;

/* Selects the best that this processor has. When the library is loaded: map/map.c. */
RM_INTERNAL void rm_kernel_select_best(void);

/* As rangemap_select_kernel(), of a name that is not NULL. */
RM_INTERNAL int rm_kernel_select(const char *name);

#endif
