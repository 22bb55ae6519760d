// SPDX-License-Identifier: BSD-2-Clause
#include <limits.h>

#include "rangemap/kernel/kernel.h"
#include "rangemap/map/enter.h"

/* Relaxed: every kernel gives the same answers. */
static inline const struct rm_kernel *kernel(void)
{
    return __atomic_load_n(&rm_kernel_selected, __ATOMIC_RELAXED);
}

int rangemap_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    struct rm_thread *thread;
    bool hit;

    if (RM_UNLIKELY(map == NULL)) {
        return -EINVAL;
    }
    thread = rm_map_enter(map);
    if (RM_UNLIKELY(thread == NULL)) {
        return -ENOMEM;
    }
    hit = kernel()->lookup(map, key, value);
    rm_section_leave(thread);
    return hit ? 0 : -ENOENT;
}

int rangemap_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    struct rm_thread *thread;
    bool hit;

    if (RM_UNLIKELY(map == NULL || entry == NULL)) {
        return -EINVAL;
    }
    thread = rm_map_enter(map);
    if (RM_UNLIKELY(thread == NULL)) {
        return -ENOMEM;
    }
    hit = kernel()->find(map, key, entry);
    rm_section_leave(thread);
    return hit ? 0 : -ENOENT;
}

int rangemap_lookup_held(const struct rangemap *map, uint64_t key, void **value)
{
    return kernel()->lookup(map, key, value) ? 0 : -ENOENT;
}

int rangemap_find_held(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    return kernel()->find(map, key, entry) ? 0 : -ENOENT;
}

/* What a batch fills; each may be NULL. */
struct answers {
    void **values;
    struct rangemap_entry *entries;
    bool *hit;
};

static void fill(const struct answers *answers, size_t at, const struct rangemap_entry *entry, bool hit)
{
    if (answers->values != NULL) {
        answers->values[at] = entry->value;
    }
    if (answers->entries != NULL) {
        answers->entries[at] = *entry;
    }
    if (answers->hit != NULL) {
        answers->hit[at] = hit;
    }
}

static int look_up_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                         const struct answers *answers)
{
    struct rangemap_entry entry[RM_BATCH_KEYS];
    struct rm_thread *thread;
    int hits = 0;

    if (map == NULL || (keys == NULL && count > 0) || count > INT_MAX) {
        return -EINVAL;
    }
    thread = rm_map_enter(map);
    if (thread == NULL) {
        return -ENOMEM;
    }
    for (size_t done = 0; done < count;) {
        size_t left = count - done;
        unsigned group = left < RM_BATCH_KEYS ? (unsigned)left : RM_BATCH_KEYS;
        uint32_t hit = kernel()->find_batch(map, keys + done, group, entry);

        for (unsigned i = 0; i < group; i++) {
            fill(answers, done + i, &entry[i], (hit >> i & 1) != 0);
        }
        hits += __builtin_popcount(hit);
        done += group;
    }
    rm_section_leave(thread);
    return hits;
}

int rangemap_lookup_batch(const struct rangemap *map, const uint64_t *keys, size_t count, void **values,
                          bool *hit)
{
    struct answers answers = {values, NULL, hit};

    return look_up_batch(map, keys, count, &answers);
}

int rangemap_find_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                        struct rangemap_entry *entries, bool *hit)
{
    struct answers answers = {NULL, entries, hit};

    return look_up_batch(map, keys, count, &answers);
}

int rangemap_read_begin(const struct rangemap *map)
{
    if (map == NULL) {
        return -EINVAL;
    }
    return rm_map_enter(map) != NULL ? 0 : -ENOMEM;
}

void rangemap_read_end(const struct rangemap *map)
{
    if (map != NULL) {
        rm_section_end_checked(rm_thread_existing(map->domain));
    }
}
