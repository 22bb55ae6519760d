// SPDX-License-Identifier: BSD-2-Clause
/*
 * Read sections: what a thread reads from a map inside one is not freed before it ends. They nest, also in
 * signal handlers, by ck_epoch's count in `active`.
 */
#ifndef RANGEMAP_EPOCH_SECTION_H
#define RANGEMAP_EPOCH_SECTION_H

#include "rangemap/base/fence.h"
#include "rangemap/epoch/light.h"

static inline bool rm_section_is_open(const struct rm_thread *thread)
{
    return thread->section.active > 0;
}

/* A section's epoch: which it blocks. Later loads stay behind; on x86 they do anyway. */
static inline void rm_section_note_epoch(struct rm_thread *thread)
{
    rm_explorer_point(&thread->section.epoch);
    rm_explorer_delay(&thread->section.epoch, sizeof thread->section.epoch);
    ck_pr_store_uint(&thread->section.epoch, ck_pr_load_uint(&thread->section.global->epoch));
    rm_fence_light();
}

/*
 * With a full fence: the store of `active` before the loads of the section; pairs with the fence between a
 * poller's sight of the garbage and its scan of `active`.
 *
 * A section nested by a signal handler that interrupts the light way of another, just before that finds out
 * that it must fence, relies on the fence: on x86 the kernel passes locked instructions before it runs a handler.
 */
static inline void rm_section_enter_fenced(struct rm_thread *thread)
{
    /* litmus: section_poll */
    bool outermost = !rm_section_is_open(thread);

    rm_explorer_delay(&thread->section.active, sizeof thread->section.active);
    ck_epoch_begin(&thread->section, NULL);
    rm_explorer_fence();
#if !defined(CK_MD_TSO)
    if (!outermost && !rm_light(thread)) {
        ck_pr_fence_memory();
    }
#endif
    if (outermost && RM_UNLIKELY(--thread->account.fences_until_review == 0)) {
        rm_light_review(thread);
    }
}

/* See epoch/light.h for why it looks twice. litmus: light10_p0 */
static inline void rm_section_enter_lightly(struct rm_thread *thread)
{
    rm_explorer_point(&thread->section.active);
    rm_explorer_delay(&thread->section.active, sizeof thread->section.active);
    ck_pr_store_uint(&thread->section.active, 1);
    rm_fence_light();
    if (RM_UNLIKELY(!rm_light(thread))) {
        rm_explorer_fence();
        ck_pr_fence_memory(); /* `active` before the loads of the section */
    }
    rm_section_note_epoch(thread);
}

/*
 * Begins a section. Elsewhere than on x86 the load of the global epoch must also come before the loads of the
 * section. litmus: section_poll, epoch_move
 */
static inline void rm_section_enter(struct rm_thread *thread)
{
    rm_explorer_point(NULL);
    if (RM_LIKELY(rm_light(thread) && !rm_section_is_open(thread))) {
        rm_section_enter_lightly(thread);
    } else {
        rm_section_enter_fenced(thread);
    }
#if !defined(CK_MD_TSO)
    ck_pr_fence_load();
#endif
    rm_explorer_section(true);
    rm_happens_release(thread); /* it may end inside the section */
}

/*
 * Ends it: a release store, so that the section's loads are over before a poller sees it inactive. litmus: reuse
 *
 * And a full fence between an update's compare-and-swap and what the thread looks up in light sections later: of two
 * threads that each insert and then look for the other's, one finds it. On x86 the compare-and-swap is one; on arm64
 * the fence of ck_epoch_end() is (ck_pr_fence_release() is `dmb ish`), which a store-release alone would not be.
 */
static inline void rm_section_leave(struct rm_thread *thread)
{
    rm_explorer_section(false);
    rm_explorer_delay(&thread->section.active, sizeof thread->section.active);
    rm_happens_release(&thread->domain->epoch);
    (void)ck_epoch_end(&thread->section, NULL);
}

/* Ends a section that the caller began, if it did. */
static inline void rm_section_end_checked(struct rm_thread *thread)
{
    if (thread != NULL && rm_section_is_open(thread)) {
        rm_section_leave(thread);
    }
}

#endif
