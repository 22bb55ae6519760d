// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ck_epoch's sections and the library call of ck_pr, by the compiler's atomics, so that the explorer's weak memory
 * (test/explorer/views.h) sees them: the real ones are inline assembly. Without total store order: what is compiled
 * then is what runs on every other processor.
 *
 * Macros, since the functions of these names are there already.
 */
#ifndef RANGEMAP_TEST_EXPLORER_CK_PR_H
#define RANGEMAP_TEST_EXPLORER_CK_PR_H

#include_next <ck_pr.h>

#undef CK_MD_TSO

#include "test/mutations/site.h"

/* None, where its order is taken away. */
#define RM_CK_FENCE(name, order) (rm_is_weak(RM_SITE(name)) ? (void)0 : __atomic_thread_fence(order))

#define ck_pr_load_uint(word) __atomic_load_n(word, __ATOMIC_RELAXED)
#define ck_pr_store_uint(word, value) __atomic_store_n(word, value, __ATOMIC_RELAXED)
#define ck_pr_store_ptr(word, value) __atomic_store_n(word, value, __ATOMIC_RELAXED)
#define ck_pr_fence_load() RM_CK_FENCE("fence_load", __ATOMIC_ACQUIRE)
#define ck_pr_fence_memory() RM_CK_FENCE("fence_memory", __ATOMIC_SEQ_CST)

/* On arm64 it is `dmb ish`, a full fence, and the end of a section needs that: rm_section_leave(). */
#define ck_pr_fence_release()                                                                                \
    (rm_is_weak(RM_SITE("fence_full")) ? RM_CK_FENCE("fence_release", __ATOMIC_RELEASE)                      \
                                       : __atomic_thread_fence(__ATOMIC_SEQ_CST))

#endif
