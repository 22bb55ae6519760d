// SPDX-License-Identifier: BSD-2-Clause
/*
 * With RANGEMAP_CHECKED the symbols of the public functions below belong to rangemap/checked, which looks at a call
 * before the library gets it; the library's own functions are then rm_unchecked_*. Without it, this is nothing.
 */
#ifndef RANGEMAP_BASE_SYMBOLS_H
#define RANGEMAP_BASE_SYMBOLS_H

#include "rangemap/rangemap.h"

/* Those of which misuse can be seen. The rest may be called anywhere, at any time, with anything. */
#define RM_CHECKED_CALLS(CALL)                                                                               \
    CALL(rangemap_create)                                                                                    \
    CALL(rangemap_destroy)                                                                                   \
    CALL(rangemap_destroy_later)                                                                             \
    CALL(rangemap_read_begin)                                                                                \
    CALL(rangemap_read_try_begin)                                                                            \
    CALL(rangemap_read_end)                                                                                  \
    CALL(rangemap_domain_read_begin)                                                                         \
    CALL(rangemap_domain_read_end)                                                                           \
    CALL(rangemap_snapshot_begin)                                                                            \
    CALL(rangemap_snapshot_end)                                                                              \
    CALL(rangemap_lookup)                                                                                    \
    CALL(rangemap_find)                                                                                      \
    CALL(rangemap_lookup_batch)                                                                              \
    CALL(rangemap_find_batch)                                                                                \
    CALL(rangemap_lookup_held)                                                                               \
    CALL(rangemap_find_held)                                                                                 \
    CALL(rangemap_next)                                                                                      \
    CALL(rangemap_previous)                                                                                  \
    CALL(rangemap_first)                                                                                     \
    CALL(rangemap_last)                                                                                      \
    CALL(rangemap_overlap)                                                                                   \
    CALL(rangemap_overlap_last)                                                                              \
    CALL(rangemap_is_covered)                                                                                \
    CALL(rangemap_is_free)                                                                                   \
    CALL(rangemap_insert)                                                                                    \
    CALL(rangemap_store)                                                                                     \
    CALL(rangemap_carve)                                                                                     \
    CALL(rangemap_erase)                                                                                     \
    CALL(rangemap_erase_exact)                                                                               \
    CALL(rangemap_replace)                                                                                   \
    CALL(rangemap_erase_value)                                                                               \
    CALL(rangemap_coalesce)                                                                                  \
    CALL(rangemap_load)                                                                                      \
    CALL(rangemap_reserve)                                                                                   \
    CALL(rangemap_splice)                                                                                    \
    CALL(rangemap_update)                                                                                    \
    CALL(rangemap_carve_value)                                                                               \
    CALL(rangemap_evict)                                                                                     \
    CALL(rangemap_resize)                                                                                    \
    CALL(rangemap_gap_find)                                                                                  \
    CALL(rangemap_gap_allocate)                                                                              \
    CALL(rangemap_gap_at)                                                                                    \
    CALL(rangemap_gap_next)                                                                                  \
    CALL(rangemap_snapshot_gap_next)                                                                         \
    CALL(rangemap_snapshot_find)                                                                             \
    CALL(rangemap_clone)                                                                                     \
    CALL(rangemap_cursor_next)                                                                               \
    CALL(rangemap_cursor_previous)                                                                           \
    CALL(rangemap_domain_create)                                                                             \
    CALL(rangemap_domain_destroy)                                                                            \
    CALL(rangemap_domain_attach)                                                                             \
    CALL(rangemap_domain_detach)                                                                             \
    CALL(rangemap_domain_defer)                                                                              \
    CALL(rangemap_domain_poll)                                                                               \
    CALL(rangemap_domain_serve)                                                                              \
    CALL(rangemap_domain_trim)                                                                               \
    CALL(rangemap_domain_synchronize)                                                                        \
    CALL(rangemap_domain_barrier)                                                                            \
    CALL(rangemap_stats)                                                                                     \
    CALL(rangemap_validate)                                                                                  \
    CALL(rangemap_dump)

#if defined(RANGEMAP_CHECKED)
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration */
#define RM_UNCHECKED(function) extern __typeof__(function) function __asm__("rm_unchecked_" #function);
RM_CHECKED_CALLS(RM_UNCHECKED)
#endif

#endif
