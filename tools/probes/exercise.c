// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes every probe of rangemap/base/probe.h fire, for the test and for trying out a tracer:
 * exercise [--seconds N]. Two threads update one small map, which makes them meet; a third sits in read sections
 * meanwhile, which makes polls fail.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rangemap/rangemap.h"

enum { KEYS = 4096, KEYS_PER_RANGE = 4, BATCH = 16 };

static struct rangemap *map;
static bool stopping;

static bool is_stopping(void)
{
    return __atomic_load_n(&stopping, __ATOMIC_RELAXED);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

/* Inserts and wide carves: splits, freezes, and meetings with the other writer. */
static void *write_ranges(void *seed)
{
    uint64_t random = (uintptr_t)seed;

    while (!is_stopping()) {
        uint64_t start = next_random(&random) % KEYS;

        if (next_random(&random) % 64 == 0) {
            (void)rangemap_carve(map, start, start + KEYS / 2, NULL, NULL);
        } else {
            (void)rangemap_store(map, start, start + KEYS_PER_RANGE - 1, &map, NULL, NULL);
        }
    }
    return NULL;
}

static void *read_slowly(void *unused)
{
    const struct timespec pause = {0, 1000000};
    uint64_t keys[BATCH] = {0};

    (void)unused;
    while (!is_stopping()) {
        if (rangemap_read_begin(map) == 0) {
            (void)rangemap_lookup(map, KEYS * 2, NULL);
            (void)rangemap_lookup_batch(map, keys, BATCH, NULL, NULL);
            (void)nanosleep(&pause, NULL);
            rangemap_read_end(map);
        }
    }
    return NULL;
}

static int parse_seconds(int argc, char **argv, long *seconds)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    char *end = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 's') {
            return -1;
        }
        *seconds = strtol(optarg, &end, 10);
        if (*end != '\0' || *seconds < 1) {
            return -1;
        }
    }
    return optind == argc ? 0 : -1;
}

/* In a map of its own: only maps that track gaps search by them. */
static int search_gaps(void)
{
    const struct rangemap_options options = {.track_gaps = true};
    const struct rangemap_gap_request request = {.length = 1, .high = KEYS};
    struct rangemap *gaps = NULL;
    uint64_t start;
    int result = rangemap_create(&options, &gaps);

    if (result == 0) {
        result = rangemap_gap_find(gaps, &request, &start);
    }
    return result == 0 ? rangemap_destroy(gaps) : result;
}

int main(int argc, char **argv)
{
    struct timespec duration = {2, 0};
    pthread_t thread[3];

    if (parse_seconds(argc, argv, &duration.tv_sec) != 0) {
        (void)fprintf(stderr, "usage: exercise [--seconds N]\n");
        return 2;
    }
    if (search_gaps() != 0 || rangemap_create(NULL, &map) != 0 ||
        pthread_create(&thread[0], NULL, write_ranges, (void *)1) != 0 ||
        pthread_create(&thread[1], NULL, write_ranges, (void *)2) != 0 ||
        pthread_create(&thread[2], NULL, read_slowly, NULL) != 0) {
        (void)fprintf(stderr, "exercise: out of memory or threads\n");
        return 1;
    }
    (void)nanosleep(&duration, NULL);
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 3; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    return rangemap_destroy(map) == 0 ? 0 : 1;
}
