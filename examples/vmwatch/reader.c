// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/reader.h"

#include <stddef.h>

#include "examples/vmwatch/arena.h"

static struct kernel_maps *spare;

struct kernel_maps *reader_open(void)
{
    struct kernel_maps *maps = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQUIRE);

    if (maps == NULL) {
        maps = arena_alloc(sizeof *maps, 64);
    }
    if (maps != NULL) {
        kernel_maps_open(maps);
    }
    return maps;
}

bool reader_close(struct kernel_maps *maps)
{
    bool is_whole = kernel_maps_close(maps);

    __atomic_store_n(&spare, maps, __ATOMIC_RELEASE);
    return is_whole;
}
