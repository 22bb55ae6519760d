// SPDX-License-Identifier: BSD-2-Clause
/*
 * How much stack the calls take: measured on a stack that is painted before each, and held to what docs/manual.md
 * states; and all of them on the smallest stack that a thread may have.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "rangemap/rangemap.h"
#include "test/context/calls.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"
#include "test/stop/operate.h"

/* What the manual says: for a map of a million ranges, callbacks of the caller apart. */
enum { BOUND_BYTES = 10 * 1024 };

enum { STACK_BYTES = 64 * 1024, PAINT = 0xA5, MARGIN = 512, RANGES = 1000000, OPERATIONS = 10000 };

/* ---- painting ---- */

static unsigned char *stack_bottom; /* of the thread that measures */

/* All that lies below the caller's frame, but for a margin that painting itself takes. */
__attribute__((noinline)) static void paint(void)
{
    unsigned char *here = __builtin_frame_address(0);

    memset(stack_bottom, PAINT, (size_t)(here - MARGIN - stack_bottom));
}

/* How far below the caller's frame anything was written since. */
__attribute__((noinline)) static size_t depth(void)
{
    const unsigned char *here = __builtin_frame_address(0), *at = stack_bottom;

    while (at < here - MARGIN && *at == PAINT) {
        at++;
    }
    return (size_t)(here - at);
}

/* Runs `work` on a thread with a stack of ours. */
static void on_painted_stack(void *(*work)(void *argument), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE_NE(stack, MAP_FAILED);
    stack_bottom = stack;
    REQUIRE_EQ(pthread_attr_init(&attributes), 0);
    REQUIRE_EQ(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    REQUIRE_EQ(pthread_create(&thread, &attributes, work, argument), 0);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    REQUIRE_EQ(pthread_attr_destroy(&attributes), 0);
    REQUIRE_EQ(munmap(stack, STACK_BYTES), 0);
}

/* ---- every call, in a small map ---- */

static int run_call(struct stage *stage)
{
    bool in_section = stage->call->needs == NEEDS_SECTION;
    int result = in_section ? rangemap_read_begin(stage->map) : 0;

    stage_try(stage);
    if (in_section && result == 0) {
        rangemap_read_end(stage->map);
    }
    return stage->result;
}

/* These call the C library for what it does best. */
static bool prints(const struct call *call)
{
    return strstr(call->label, "dump") != NULL || strstr(call->label, "validate") != NULL;
}

static void *measure_calls(void *tracks_gaps)
{
    unsigned count;
    const struct call *call = calls_all(&count);
    static struct stage stage; /* not on the stack: it is large */
    size_t most = 0;

    for (unsigned i = 0; i < count; i++) {
        size_t bytes;

        stage_init(&stage, &call[i], (struct stage_options){.tracks_gaps = *(const bool *)tracks_gaps});
        paint();
        (void)run_call(&stage);
        bytes = depth();
        /* One is allowed to a process only before its first section. */
        CHECK(stage.result == 0 || stage.result == -EBUSY, "%s: %d", call[i].label, stage.result);
        CHECK_LE(bytes, (size_t)BOUND_BYTES, "%s takes %zu bytes of stack", call[i].label, bytes);
        if (bytes > most && !prints(&call[i])) {
            most = bytes;
            printf("%s: %zu bytes\n", call[i].label, bytes);
        }
        stage_free(&stage);
    }
    return NULL;
}

TEST_CASE(stack, of_each_call)
{
    bool tracks_gaps[] = {false, true};

    on_painted_stack(measure_calls, &tracks_gaps[0]);
    on_painted_stack(measure_calls, &tracks_gaps[1]);
}

/* ---- updates of all kinds, in a large map ---- */

static int set_next(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                    void *context)
{
    (void)part;
    (void)whole;
    (void)context;
    *value = (char *)*value + 1;
    return RANGEMAP_SET;
}

static struct rangemap *new_large_map(bool tracks_gaps)
{
    const struct rangemap_options options = {.track_gaps = tracks_gaps};
    struct rangemap_entry *entry =
        mmap(NULL, RANGES * sizeof *entry, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rangemap *map;

    REQUIRE_NE((void *)entry, MAP_FAILED);
    for (uint64_t i = 0; i < RANGES; i++) {
        entry[i] = (struct rangemap_entry){3 * i, 3 * i + 1, NULL};
    }
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entry, RANGES, NULL), 0);
    REQUIRE_EQ(munmap(entry, RANGES * sizeof *entry), 0);
    return map;
}

struct largest {
    size_t operation, window;
};

static void measure_window(size_t *most, int result)
{
    size_t bytes = depth();

    CHECK_EQ(result, 0);
    *most = bytes > *most ? bytes : *most;
}

/* All of the map, in several ways. */
static void measure_windows(struct rangemap *map, struct largest *largest)
{
    struct rangemap_entry one = {RANGES, RANGES + 9, NULL};

    paint();
    measure_window(&largest->window, rangemap_update(map, 0, UINT64_MAX, set_next, NULL, NULL));
    paint();
    measure_window(&largest->window, rangemap_validate(map, NULL, 0));
    paint();
    measure_window(&largest->window, rangemap_splice(map, RANGES, 2 * RANGES, &one, 1, NULL));
    paint();
    measure_window(&largest->window, rangemap_evict(map, 0, UINT64_MAX, NULL, NULL));
}

static void *measure_operations(void *argument)
{
    struct rangemap *map = new_large_map(*(const bool *)argument);
    struct prng random = prng_stream(test_seed(), 1);
    struct largest largest = {0};

    for (unsigned i = 0; i < OPERATIONS * test_scale(); i++) {
        size_t bytes;

        paint();
        CHECK_EQ(operate(map, &random), 0);
        bytes = depth();
        largest.operation = bytes > largest.operation ? bytes : largest.operation;
    }
    measure_windows(map, &largest);
    CHECK_EQ(rangemap_destroy(map), 0);
    printf("%d ranges: %zu bytes for an operation, %zu for a window of all\n", RANGES, largest.operation,
           largest.window);
    CHECK_LE(largest.operation, (size_t)BOUND_BYTES);
    CHECK_LE(largest.window, (size_t)BOUND_BYTES);
    return NULL;
}

TEST_CASE(stack, of_updates_in_a_large_map)
{
    bool tracks_gaps[] = {false, true};

    on_painted_stack(measure_operations, &tracks_gaps[0]);
    on_painted_stack(measure_operations, &tracks_gaps[1]);
}

/* ---- the smallest stack, with a page below it that must not be touched ---- */

static void *operate_in_little(void *map)
{
    struct prng random = prng_stream(test_seed(), 2);
    struct rangemap_entry one = {RANGES, RANGES + 9, NULL};
    bool good = true;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        good = operate(map, &random) == 0 && good;
    }
    good = rangemap_update(map, 0, UINT64_MAX, set_next, NULL, NULL) == 0 && good;
    good = rangemap_splice(map, RANGES, 2 * RANGES, &one, 1, NULL) == 0 && good;
    good = rangemap_evict(map, 0, UINT64_MAX, NULL, NULL) == 0 && good;
    return good ? map : NULL;
}

TEST_CASE(stack, of_sixteen_kibibytes_suffices)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;

    for (int tracks_gaps = 0; tracks_gaps <= 1; tracks_gaps++) {
        struct rangemap *map = new_large_map(tracks_gaps);

        REQUIRE_EQ(pthread_attr_init(&attributes), 0);
        REQUIRE_EQ(pthread_attr_setstacksize(&attributes, 16 * 1024), 0);
        REQUIRE_EQ(pthread_create(&thread, &attributes, operate_in_little, map), 0);
        REQUIRE_EQ(pthread_join(thread, &result), 0);
        REQUIRE_EQ(pthread_attr_destroy(&attributes), 0);
        CHECK_NE(result, NULL);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}
