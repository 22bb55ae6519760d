// SPDX-License-Identifier: BSD-2-Clause
/* The searches, once for each instruction set; one set is selected for the process. Inside a section. */
#ifndef RANGEMAP_KERNEL_KERNEL_H
#define RANGEMAP_KERNEL_KERNEL_H

#include "rangemap/node/splice.h"
#include "rangemap/tree/path.h"

struct rm_kernel {
    const char *name;
    bool (*is_supported)(void);
    rm_rank_fn *rank;
    rm_path_descend_fn *descend;
    rm_splice_fn *splice;
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
RM_INTERNAL rm_rank_fn rm_portable_rank;
RM_INTERNAL rm_path_descend_fn rm_portable_descend;
RM_INTERNAL rm_splice_fn rm_portable_splice;
#if defined(RM_RANK_AVX2)
RM_INTERNAL extern const struct rm_kernel rm_kernel_avx2;
#endif
#if defined(RM_RANK_AVX512)
RM_INTERNAL extern const struct rm_kernel rm_kernel_avx512;
#endif
#if defined(RM_RANK_NEON)
RM_INTERNAL extern const struct rm_kernel rm_kernel_neon;
#endif

/* The kernel in use. Written at start and by rangemap_select_kernel(); any value serves. */
RM_INTERNAL extern const struct rm_kernel *rm_kernel_selected;

#endif
