// SPDX-License-Identifier: BSD-2-Clause
/* Calls of maps: each is looked at before and after, as an update or as a lookup. */
#include "rangemap/checked/callbacks.h"
#include "rangemap/checked/value.h"

#if defined(RM_IS_CHECKED)
#include <errno.h>

/* ---- lookups and queries ---- */

/* NOLINTBEGIN(bugprone-macro-parentheses): these define functions */
/* `seen` is what the program is given of a value, if there is one. */
#define LOOKUP(function, parameters, arguments, any, seen)                                                   \
    int RM_CHECKED(function) parameters                                                                      \
    {                                                                                                        \
        struct rm_checked_call call = rm_checked_lookup(map, #function, RM_CHECKED_WHERE);                   \
        int result = rm_checked_leave(&call, RM_LIBRARY(function) arguments);                                \
                                                                                                             \
        if (result == 0 && (any)) {                                                                          \
            rm_checked_value_seen(call.thread, map, seen);                                                   \
        }                                                                                                    \
        return result;                                                                                       \
    }

LOOKUP(rangemap_lookup, (const struct rangemap *map, uint64_t key, void **value), (map, key, value),
       value != NULL, *value)
LOOKUP(rangemap_find, (const struct rangemap *map, uint64_t key, struct rangemap_entry *entry),
       (map, key, entry), true, entry->value)
LOOKUP(rangemap_next, (const struct rangemap *map, uint64_t key, struct rangemap_entry *entry),
       (map, key, entry), true, entry->value)
LOOKUP(rangemap_previous, (const struct rangemap *map, uint64_t key, struct rangemap_entry *entry),
       (map, key, entry), true, entry->value)
LOOKUP(rangemap_first, (const struct rangemap *map, struct rangemap_entry *entry), (map, entry), true,
       entry->value)
LOOKUP(rangemap_last, (const struct rangemap *map, struct rangemap_entry *entry), (map, entry), true,
       entry->value)
LOOKUP(rangemap_overlap,
       (const struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *entry),
       (map, start, last, entry), entry != NULL, entry->value)
LOOKUP(rangemap_overlap_last,
       (const struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *entry),
       (map, start, last, entry), entry != NULL, entry->value)
LOOKUP(rangemap_is_covered, (const struct rangemap *map, uint64_t start, uint64_t last), (map, start, last),
       false, NULL)
LOOKUP(rangemap_is_free, (const struct rangemap *map, uint64_t start, uint64_t last), (map, start, last),
       false, NULL)
LOOKUP(rangemap_gap_find,
       (const struct rangemap *map, const struct rangemap_gap_request *request, uint64_t *start),
       (map, request, start), false, NULL)
LOOKUP(rangemap_gap_at, (const struct rangemap *map, uint64_t key, struct rangemap_gap *gap), (map, key, gap),
       false, NULL)
LOOKUP(rangemap_gap_next, (const struct rangemap *map, uint64_t key, struct rangemap_gap *gap),
       (map, key, gap), false, NULL)
LOOKUP(rangemap_stats, (const struct rangemap *map, struct rangemap_statistics *statistics),
       (map, statistics), false, NULL)
LOOKUP(rangemap_validate, (const struct rangemap *map, char *text, size_t size), (map, text, size), false,
       NULL)
LOOKUP(rangemap_dump, (const struct rangemap *map, FILE *out, enum rangemap_dump_format format),
       (map, out, format), false, NULL)

int RM_CHECKED(rangemap_lookup_batch)(const struct rangemap *map, const uint64_t *keys, size_t count,
                                      void **values, bool *hit)
{
    struct rm_checked_call call = rm_checked_lookup(map, "rangemap_lookup_batch", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_lookup_batch)(map, keys, count, values, hit));

    for (size_t i = 0; result > 0 && values != NULL && i < count; i++) {
        rm_checked_value_seen(call.thread, map, values[i]); /* NULL where nothing was found */
    }
    return result;
}

int RM_CHECKED(rangemap_find_batch)(const struct rangemap *map, const uint64_t *keys, size_t count,
                                    struct rangemap_entry *entries, bool *hit)
{
    struct rm_checked_call call = rm_checked_lookup(map, "rangemap_find_batch", RM_CHECKED_WHERE);
    int result = rm_checked_leave(&call, RM_LIBRARY(rangemap_find_batch)(map, keys, count, entries, hit));

    for (size_t i = 0; result > 0 && entries != NULL && i < count; i++) {
        rm_checked_value_seen(call.thread, map, entries[i].value);
    }
    return result;
}

/* ---- updates ---- */

/* What an update tells of is no look-up: outside of a section nothing is taken back that may be touched. */
static void given(const struct rm_checked_call *call, const struct rangemap *map, void *value)
{
    if (map != NULL && rm_checked_holds(call->thread, rm_checked_domain(rangemap_domain_of(map)))) {
        rm_checked_value_seen(call->thread, map, value);
    }
}

static void given_conflict(const struct rm_checked_call *call, const struct rangemap *map,
                           const struct rangemap_rewrite *how, int result)
{
    if (result == -EEXIST && how != NULL && how->if_free && how->conflict != NULL) {
        given(call, map, how->conflict->value);
    }
}

/* `seen` is what the program is given of a value if the result is `when`, and there is a place for it: `any`. */
#define UPDATE(function, parameters, arguments, when, any, seen)                                             \
    int RM_CHECKED(function) parameters                                                                      \
    {                                                                                                        \
        struct rm_checked_call call = rm_checked_update(map, #function, RM_CHECKED_WHERE);                   \
        int result = rm_checked_leave(&call, RM_LIBRARY(function) arguments);                                \
                                                                                                             \
        if (result == (when) && (any) != NULL) {                                                             \
            given(&call, map, seen);                                                                         \
        }                                                                                                    \
        return result;                                                                                       \
    }

UPDATE(rangemap_insert,
       (struct rangemap * map, uint64_t start, uint64_t last, void *value, struct rangemap_entry *conflict),
       (map, start, last, value, conflict), -EEXIST, conflict, conflict->value)
UPDATE(rangemap_erase, (struct rangemap * map, uint64_t key, struct rangemap_entry *erased),
       (map, key, erased), 0, erased, erased->value)
UPDATE(rangemap_erase_exact,
       (struct rangemap * map, uint64_t start, uint64_t last, struct rangemap_entry *erased),
       (map, start, last, erased), 0, erased, erased->value)
UPDATE(rangemap_replace,
       (struct rangemap * map, uint64_t start, uint64_t last, void *expected, void *desired, void **actual),
       (map, start, last, expected, desired, actual), -ESTALE, actual, *actual)
UPDATE(rangemap_erase_value,
       (struct rangemap * map, uint64_t start, uint64_t last, void *expected, void **actual),
       (map, start, last, expected, actual), -ESTALE, actual, *actual)
UPDATE(rangemap_load,
       (struct rangemap * map, const struct rangemap_entry *entries, size_t count, size_t *bad),
       (map, entries, count, bad), 0, NULL, NULL)
UPDATE(rangemap_resize,
       (struct rangemap * map, uint64_t start, uint64_t last, uint64_t new_start, uint64_t new_last,
        struct rangemap_entry *conflict),
       (map, start, last, new_start, new_last, conflict), -EEXIST, conflict, conflict->value)
UPDATE(rangemap_gap_allocate,
       (struct rangemap * map, const struct rangemap_gap_request *request, void *value, uint64_t *start),
       (map, request, value, start), 0, NULL, NULL)

/* With `displaced`, which the library calls through the one here. */
#define UPDATE_DISPLACED(function, parameters, arguments)                                                    \
    int RM_CHECKED(function) parameters                                                                      \
    {                                                                                                        \
        struct rm_checked_call call = rm_checked_update(map, #function, RM_CHECKED_WHERE);                   \
        struct rm_checked_displaced ours = {displaced, context, &call};                                      \
        rangemap_displaced_fn *tell = displaced != NULL ? rm_checked_tell_displaced : NULL;                  \
                                                                                                             \
        return rm_checked_leave(&call, RM_LIBRARY(function) arguments);                                      \
    }

UPDATE_DISPLACED(rangemap_store,
                 (struct rangemap * map, uint64_t start, uint64_t last, void *value,
                  rangemap_displaced_fn *displaced, void *context),
                 (map, start, last, value, tell, &ours))
UPDATE_DISPLACED(rangemap_carve,
                 (struct rangemap * map, uint64_t start, uint64_t last, rangemap_displaced_fn *displaced,
                  void *context),
                 (map, start, last, tell, &ours))
UPDATE_DISPLACED(rangemap_carve_value,
                 (struct rangemap * map, uint64_t start, uint64_t last, void *expected,
                  rangemap_displaced_fn *displaced, void *context),
                 (map, start, last, expected, tell, &ours))
UPDATE_DISPLACED(rangemap_evict,
                 (struct rangemap * map, uint64_t start, uint64_t last, rangemap_displaced_fn *displaced,
                  void *context),
                 (map, start, last, tell, &ours))
UPDATE_DISPLACED(rangemap_clone,
                 (struct rangemap * map, const struct rangemap_snapshot *snapshot, uint64_t start,
                  uint64_t last, rangemap_displaced_fn *displaced, void *context),
                 (map, snapshot, start, last, tell, &ours))

int RM_CHECKED(rangemap_coalesce)(struct rangemap *map, uint64_t start, uint64_t last,
                                  rangemap_equal_fn *equal, void *context, uint64_t *joined)
{
    struct rm_checked_call call = rm_checked_update(map, "rangemap_coalesce", RM_CHECKED_WHERE);
    struct rm_checked_equality ours = {equal, context, rm_checked_is_owner(map)};

    return rm_checked_leave(&call, RM_LIBRARY(rangemap_coalesce)(map, start, last,
                                                                 equal != NULL ? rm_checked_ask_equal : NULL,
                                                                 &ours, joined));
}

int RM_CHECKED(rangemap_splice)(struct rangemap *map, uint64_t start, uint64_t last,
                                const struct rangemap_entry *entries, size_t count,
                                const struct rangemap_rewrite *how)
{
    struct rm_checked_call call = rm_checked_update(map, "rangemap_splice", RM_CHECKED_WHERE);
    struct rm_checked_rewrite ours;
    int result =
        RM_LIBRARY(rangemap_splice)(map, start, last, entries, count, rm_checked_rewrite(&ours, how, &call));

    given_conflict(&call, map, how, result);
    return rm_checked_leave(&call, result);
}

/* What its function refuses with is its result, and no mistake. */
int RM_CHECKED(rangemap_update)(struct rangemap *map, uint64_t start, uint64_t last,
                                rangemap_update_fn *function, void *context,
                                const struct rangemap_rewrite *how)
{
    struct rm_checked_call call = rm_checked_update(map, "rangemap_update", RM_CHECKED_WHERE);
    struct rm_checked_decision decision = {function, context, 0, rm_checked_is_owner(map)};
    struct rm_checked_rewrite ours;
    int result =
        RM_LIBRARY(rangemap_update)(map, start, last, function != NULL ? rm_checked_ask_update : NULL,
                                    &decision, rm_checked_rewrite(&ours, how, &call));

    given_conflict(&call, map, how, result);
    return result != 0 && result == decision.refused ? rm_checked_leave_quietly(&call, result)
                                                     : rm_checked_leave(&call, result);
}
/* NOLINTEND(bugprone-macro-parentheses) */
#endif
