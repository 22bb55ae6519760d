// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a consumer outside of the project does first; C and C++. Exits with 0 if the library answers, is the
 * version of its header, and has every search kernel of the processor's architecture.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(SMOKE_AMALGAMATED)
#include "rangemap.h"
#else
#include "rangemap/rangemap.h"
#endif

#if RANGEMAP_VERSION < 100 || RANGEMAP_VERSION / 100 % 100 != RANGEMAP_VERSION_MINOR
#error "RANGEMAP_VERSION cannot be compared"
#endif

static int check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "smoke: %s\n", what);
    }
    return holds;
}

static int has_kernel(const char *name)
{
    int error = rangemap_select_kernel(name);

    return check(error == 0 || error == -ENOTSUP, name);
}

static int has_kernels(void)
{
    const char *best = rangemap_kernel();
    int has = has_kernel("portable");

#if defined(__x86_64__)
    has = has_kernel("avx2") && has_kernel("avx512") && has;
#elif defined(__aarch64__)
    has = has_kernel("neon") && has;
#endif
    return check(rangemap_select_kernel(best) == 0, "the kernel that was selected") && has;
}

static int has_version(void)
{
    char version[32];

    snprintf(version, sizeof version, "%d.%d.%d", RANGEMAP_VERSION_MAJOR, RANGEMAP_VERSION_MINOR,
             RANGEMAP_VERSION_PATCH);
    return check(strcmp(version, rangemap_version()) == 0, "header and library differ in version");
}

static int holds(const struct rangemap *map, uint64_t key, uint64_t start, uint64_t last, const void *value)
{
    struct rangemap_entry entry;

    return rangemap_find(map, key, &entry) == 0 && entry.start == start && entry.last == last &&
           entry.value == value;
}

static int answers(struct rangemap *map)
{
    static char a, b;
    const uint64_t end = (uint64_t)-1;
    uint64_t i;

    for (i = 0; i < 10000; i++) {
        if (rangemap_insert(map, 16 * i, 16 * i + 7, &a, NULL) != 0) {
            return check(0, "insert");
        }
    }
    return check(rangemap_insert(map, 20, 40, &b, NULL) == -EEXIST, "insert over a range") &&
           check(rangemap_store(map, 20, end, &b, NULL, NULL) == 0, "store") &&
           check(holds(map, 19, 16, 19, &a), "the part that a store leaves") &&
           check(holds(map, end, 20, end, &b), "what a store stored") &&
           check(rangemap_lookup(map, 8, NULL) == -ENOENT, "a key between ranges") &&
           check(rangemap_validate(map, NULL, 0) == 0, "the invariants");
}

int main(void)
{
    struct rangemap *map;
    int good = has_version() && has_kernels();

    if (!check(rangemap_create(NULL, &map) == 0, "create")) {
        return 1;
    }
    good = answers(map) && good;
    return check(rangemap_destroy(map) == 0, "destroy") && good ? 0 : 1;
}
