// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/preload/preloaded.h"

#include <link.h>
#include <stddef.h>

/* This object's own. */
extern const ElfW(Dyn) own_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

/* The linker lists the program, what is preloaded, libraries, itself; and behind that what is opened later. */
bool preloaded(void)
{
    for (const struct link_map *object = _r_debug.r_map; object != NULL; object = object->l_next) {
        if (object->l_ld == own_dynamic) {
            return true;
        }
        if (object->l_addr == _r_debug.r_ldbase) {
            return false;
        }
    }
    return false;
}
