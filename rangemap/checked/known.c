// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/checked/known.h"

#if defined(RM_IS_CHECKED)
/* By a hash of its address: a newer map takes the place of an older one. */
struct known_map {
    _Atomic(const struct rangemap *) map;
    _Atomic(const void *) destroyed_at;
    _Atomic(struct rm_checked_kept *) callbacks;
};

static struct known_map *known_place(const struct rangemap *map)
{
    enum { BITS = 12 };
    static struct known_map known[1U << BITS];

    return &known[(uintptr_t)map * 0x9E3779B97F4A7C15U >> (64 - BITS)];
}

static struct known_map *known(const struct rangemap *map)
{
    struct known_map *place = known_place(map);

    return map != NULL && atomic_load(&place->map) == map ? place : NULL;
}

void rm_checked_map_made(const struct rangemap *map, struct rm_checked_kept *callbacks)
{
    struct known_map *place = known_place(map);

    atomic_store(&place->destroyed_at, NULL);
    atomic_store(&place->callbacks, callbacks);
    atomic_store(&place->map, map);
}

void rm_checked_map_gone(const struct rangemap *map, const void *where)
{
    struct known_map *place = known_place(map);

    if (atomic_exchange(&place->map, map) != map) {
        atomic_store(&place->callbacks, NULL);
    }
    atomic_store(&place->destroyed_at, where);
}

void rm_checked_map_back(const struct rangemap *map)
{
    struct known_map *place = known(map);

    if (place != NULL) {
        atomic_store(&place->destroyed_at, NULL);
    }
}

const void *rm_checked_destroyed_at(const struct rangemap *map)
{
    struct known_map *place = known(map);

    return place != NULL ? atomic_load(&place->destroyed_at) : NULL;
}

struct rm_checked_kept *rm_checked_callbacks(const struct rangemap *map)
{
    struct known_map *place = known(map);

    return place != NULL ? atomic_load(&place->callbacks) : NULL;
}
#endif
