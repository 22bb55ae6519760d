// SPDX-License-Identifier: BSD-2-Clause
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include "test/stop/operate.h"

#include <errno.h>

/* All code of this file lies together, so that one can tell whether a thread is in it. */
#define HERE __attribute__((noinline, section("operate_text")))

extern const char __start_operate_text[], __stop_operate_text[];

enum { LOADED = 40, STEPS_MAX = 30 };

struct span {
    uint64_t start, last;
};

bool operate_contains(uint64_t instruction)
{
    return instruction >= (uintptr_t)__start_operate_text && instruction < (uintptr_t)__stop_operate_text;
}

HERE static bool always(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    (void)context;
    return (left->start ^ right->start) & 2;
}

HERE static void ignore(const struct rangemap_entry *entry, void *context)
{
    (void)entry;
    (void)context;
}

HERE static int update_found(struct rangemap *map, struct span span, void *value, bool erases)
{
    struct rangemap_entry found;
    int result = rangemap_overlap(map, span.start, span.last, &found);

    if (result != 0) {
        return result;
    }
    return erases ? rangemap_erase_exact(map, found.start, found.last, NULL)
                  : rangemap_replace(map, found.start, found.last, found.value, value, NULL);
}

HERE static int allocate(struct rangemap *map, struct span span, void *value, bool from_top)
{
    struct rangemap_gap_request request = {
        .length = 3, .low = span.start, .high = UINT64_MAX, .from_top = false};
    uint64_t start;

    request.from_top = from_top;
    request.high = from_top ? OPERATE_KEYS : UINT64_MAX;
    return rangemap_gap_allocate(map, &request, value, &start);
}

HERE static int walk(struct rangemap_cursor *cursor, bool downwards)
{
    struct rangemap_entry entry;

    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if ((downwards ? rangemap_cursor_previous(cursor, &entry) : rangemap_cursor_next(cursor, &entry))) {
            break;
        }
    }
    return 0;
}

HERE static int look_back(struct rangemap *map, struct span span)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;
    int result = rangemap_snapshot_begin(map, &snapshot);

    if (result == 0) {
        result = rangemap_cursor_init_at(&cursor, &snapshot, span.start, UINT64_MAX);
        result = result ? result : walk(&cursor, false);
        rangemap_snapshot_end(&snapshot);
    }
    return result;
}

HERE static int ask(struct rangemap *map, struct span span)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    rangemap_next(map, span.start, &entry);
    rangemap_previous(map, span.last, &entry);
    if (rangemap_is_covered(map, span.start, span.last) < 0 ||
        rangemap_is_free(map, span.start, span.last) < 0) {
        return -EINVAL;
    }
    rangemap_cursor_init(&cursor, map, 0, span.last);
    return walk(&cursor, true);
}

/* A map of its own, loaded and dropped whole. */
HERE static int come_and_go(struct rangemap *map)
{
    struct rangemap_options options = {.domain = rangemap_domain_of(map)};
    struct rangemap_entry entry[LOADED];
    struct rangemap *own;
    int result = rangemap_create(&options, &own);

    for (uint64_t i = 0; i < LOADED; i++) {
        entry[i].start = entry[i].last = 2 * i;
        entry[i].value = NULL;
    }
    result = result ? result : rangemap_load(own, entry, LOADED, NULL);
    return result ? result : rangemap_destroy(own);
}

HERE static int set_value(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                          void *context)
{
    (void)whole;
    *value = context;
    return part->start & 1 ? RANGEMAP_SET : RANGEMAP_KEEP;
}

HERE static int rewrite(struct rangemap *map, unsigned kind, struct span span, void *value)
{
    const struct rangemap_entry row[] = {{span.start, span.start, value}, {span.last, span.last, value}};
    const struct rangemap_rewrite how = {.join = span.start & 1, .displaced = ignore};
    struct rangemap_entry found;

    switch (kind) {
    case 0:
        return rangemap_splice(map, span.start, span.last, row, span.start < span.last ? 2 : 1, &how);
    case 1:
        return rangemap_update(map, span.start, span.last, set_value, value, &how);
    case 2:
        return rangemap_evict(map, span.start, span.last, ignore, NULL);
    case 3:
        return rangemap_carve_value(map, span.start, span.last, value, ignore, NULL);
    default:
        if (rangemap_overlap_last(map, span.start, span.last, &found) != 0) {
            return 0;
        }
        return span.start & 1
                   ? rangemap_resize(map, found.start, found.last, found.last, found.last + 2, NULL)
                   : rangemap_erase_value(map, found.start, found.last, value, NULL);
    }
}

HERE static int perform(struct rangemap *map, unsigned kind, struct span span, void *value)
{
    switch (kind) {
    case 0:
    case 1:
        return rangemap_insert(map, span.start, span.last, value, NULL);
    case 2:
    case 3:
        return rangemap_store(map, span.start, span.last, value, ignore, NULL);
    case 4:
        return rangemap_carve(map, span.start, span.last, ignore, NULL);
    case 5:
        return rangemap_erase(map, span.start, NULL);
    case 6:
    case 7:
        return update_found(map, span, value, kind == 6);
    case 8:
        return rangemap_coalesce(map, span.start, span.last, always, NULL, NULL);
    case 9:
    case 10:
        return allocate(map, span, value, kind == 9);
    case 11:
        return rangemap_lookup(map, span.start, NULL);
    case 12:
        return look_back(map, span);
    case 13:
        return ask(map, span);
    case 14:
        return come_and_go(map);
    case 15:
    case 16:
    case 17:
    case 18:
    case 19:
        return rewrite(map, kind - 15, span, value);
    default:
        return rangemap_domain_poll(rangemap_domain_of(map));
    }
}

HERE int operate(struct rangemap *map, struct prng *random)
{
    unsigned kind = (unsigned)prng_below(random, 21);
    uint64_t start = prng_below(random, OPERATE_KEYS);
    uint64_t last = start + prng_below(random, prng_below(random, 50) ? 8 : OPERATE_KEYS / 4);
    int result = perform(map, kind, (struct span){start, last}, (void *)(uintptr_t)(start % 3));

    bool may_be =
        result >= 0 || result == -EEXIST || result == -ENOENT || result == -ESTALE || result == -ENOSPC;

    return may_be ? 0 : result;
}
