// SPDX-License-Identifier: BSD-2-Clause
/* The example of README.md as a program: exits with 0 if the map answers as README says. */
#include <inttypes.h>
#include <stdio.h>

#include "rangemap/rangemap.h"

int main(void)
{
    static char code[] = "code", data[] = "data";
    struct rangemap_entry entry;
    struct rangemap *map;

    if (rangemap_create(NULL, &map) != 0 || rangemap_insert(map, 0x1000, 0x1fff, code, NULL) != 0 ||
        rangemap_store(map, 0x1800, 0x27ff, data, NULL, NULL) != 0) {
        (void)fputs("out of memory\n", stderr);
        return 1;
    }
    for (uint64_t key = 0x1000; key < 0x3000; key += 0x804) {
        if (rangemap_find(map, key, &entry) == 0) {
            printf("%#" PRIx64 " is in %#" PRIx64 "..%#" PRIx64 " (%s)\n", key, entry.start, entry.last,
                   (const char *)entry.value);
        } else {
            printf("%#" PRIx64 " is in no range\n", key);
        }
    }
    if (rangemap_find(map, 0x17ff, &entry) != 0 || entry.start != 0x1000 || entry.last != 0x17ff ||
        entry.value != code) {
        return 1;
    }
    return rangemap_destroy(map) == 0 ? 0 : 1;
}
