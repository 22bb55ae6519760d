// SPDX-License-Identifier: BSD-2-Clause
/*
 * For the test of rangemap.py: makes maps, writes what is in them to files, and aborts in the middle of an
 * update, in a thread's read section. Usage: maps FOLDER
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rangemap.h"

enum { RANGES = 5000, KEYS_PER_RANGE = 16, STALL_UPDATES = 20000 };

/* What gdb looks at. */
struct rangemap *plain, *empty, *halted, *hidden;
int landmark;
static int section_is_open;

static void check(int result, const char *what)
{
    if (result != 0) {
        (void)fprintf(stderr, "maps: %s: error %d\n", what, -result);
        exit(1);
    }
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

/* As `rangemap print` does it. */
static void write_ranges(const struct rangemap *map, const char *folder, const char *name)
{
    FILE *file = open_in(folder, name);
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    check(rangemap_cursor_init(&cursor, map, 0, UINT64_MAX), "cursor");
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        (void)fprintf(file, "[%#" PRIx64 ", %#" PRIx64 "] = 0x%" PRIxPTR "\n", entry.start, entry.last,
                      (uintptr_t)entry.value);
    }
    (void)fclose(file);
}

/* Two ends of the key space, a value with a name, and many ranges with gaps of all sizes between. */
static void fill(struct rangemap *map)
{
    for (uintptr_t i = 1; i <= RANGES; i++) {
        uint64_t start = i * KEYS_PER_RANGE;

        check(rangemap_insert(map, start, start + i % KEYS_PER_RANGE, (void *)(i % 100), NULL), "insert");
    }
    check(rangemap_insert(map, 0, 0, NULL, NULL), "insert");
    check(rangemap_insert(map, UINT64_MAX - 1, UINT64_MAX, (void *)7, NULL), "insert");
}

static void *stay_in_section(void *unused)
{
    (void)unused;
    check(rangemap_read_begin(plain), "section");
    __atomic_store_n(&section_is_open, 1, __ATOMIC_RELEASE);
    for (;;) {
        (void)pause();
    }
    return NULL;
}

/*
 * The first two calls are for an edit of the leaf alone, which would not fit. The next one is from the rebuild:
 * inner nodes are frozen by now, and nothing has been published yet.
 */
static void *halt(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    static unsigned calls;

    (void)start;
    (void)last;
    (void)context;
    if (++calls == 3) {
        abort();
    }
    return whole->value;
}

static void make_maps(void)
{
    const struct rangemap_options halting = {.split = halt};

    check(rangemap_create(NULL, &plain), "create");
    check(rangemap_create(NULL, &empty), "create");
    check(rangemap_create(&halting, &halted), "create");
    check(rangemap_create(NULL, &hidden), "create");
    fill(plain);
    fill(halted);
    check(rangemap_insert(hidden, 1, 2, &landmark, NULL), "insert");
}

static void stall(void)
{
    pthread_t thread;

    check(pthread_create(&thread, NULL, stay_in_section, NULL), "thread");
    while (!__atomic_load_n(&section_is_open, __ATOMIC_ACQUIRE)) {
        (void)sched_yield();
    }
    for (unsigned i = 0; i < STALL_UPDATES; i++) {
        check(rangemap_store(empty, i, i, NULL, NULL, NULL), "store");
    }
    check(rangemap_carve(empty, 0, UINT64_MAX, NULL, NULL), "carve");
}

int main(int argc, char **argv)
{
    FILE *file;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: maps FOLDER\n");
        return 2;
    }
    make_maps();
    stall();
    write_ranges(plain, argv[1], "plain.ranges");
    write_ranges(halted, argv[1], "halted.ranges");
    file = open_in(argv[1], "plain.tree");
    check(rangemap_dump(plain, file, RANGEMAP_DUMP_TEXT), "dump");
    (void)fclose(file);
    /* In the middle of full leaves. */
    check(
        rangemap_carve(halted, RANGES / 2 * KEYS_PER_RANGE + 1, RANGES / 2 * KEYS_PER_RANGE + 1, NULL, NULL),
        "carve");
    (void)fprintf(stderr, "maps: the update has not been halted\n");
    return 1;
}
