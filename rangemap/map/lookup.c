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

/* The next keys that go down together. */
static unsigned group_of(size_t left)
{
    return left < RM_BATCH_KEYS ? (unsigned)left : RM_BATCH_KEYS;
}

/* Begins the section of a batch; NULL: *error says why. */
static struct rm_thread *enter_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                                     int *error)
{
    if (map == NULL || (keys == NULL && count > 0) || count > INT_MAX) {
        *error = -EINVAL;
        return NULL;
    }
    *error = -ENOMEM;
    return rm_map_enter(map);
}

int rangemap_lookup_batch(const struct rangemap *map, const uint64_t *keys, size_t count, void **values,
                          bool *hit)
{
    int error, hits = 0;
    struct rm_thread *thread = enter_batch(map, keys, count, &error);

    if (thread == NULL) {
        return error;
    }
    for (size_t done = 0; done < count; done += RM_BATCH_KEYS) {
        hits += (int)kernel()->lookup_batch(map, keys + done, group_of(count - done),
                                            values != NULL ? values + done : NULL,
                                            hit != NULL ? hit + done : NULL);
    }
    rm_section_leave(thread);
    return hits;
}

int rangemap_find_batch(const struct rangemap *map, const uint64_t *keys, size_t count,
                        struct rangemap_entry *entries, bool *hit)
{
    int error, hits = 0;
    struct rm_thread *thread = enter_batch(map, keys, count, &error);

    if (thread == NULL) {
        return error;
    }
    for (size_t done = 0; done < count; done += RM_BATCH_KEYS) {
        hits += (int)kernel()->find_batch(map, keys + done, group_of(count - done),
                                          entries != NULL ? entries + done : NULL,
                                          hit != NULL ? hit + done : NULL);
    }
    rm_section_leave(thread);
    return hits;
}

int rangemap_read_begin(const struct rangemap *map)
{
    if (map == NULL) {
        return -EINVAL;
    }
    return rm_map_enter(map) != NULL ? 0 : -ENOMEM;
}

int rangemap_read_try_begin(const struct rangemap *map)
{
    struct rm_thread *thread;

    if (map == NULL) {
        return -EINVAL;
    }
    thread = rm_thread_existing(map->domain);
    if (thread == NULL) {
        return -ESRCH;
    }
    rm_section_enter(thread);
    return 0;
}

void rangemap_read_end(const struct rangemap *map)
{
    if (map != NULL) {
        rm_section_end_checked(rm_thread_existing(map->domain));
    }
}

int rangemap_in_section(const struct rangemap *map)
{
    const struct rm_thread *thread;

    if (map == NULL) {
        return -EINVAL;
    }
    thread = rm_thread_existing(map->domain);
    return thread != NULL && rm_section_is_open(thread);
}
