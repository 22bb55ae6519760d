// SPDX-License-Identifier: BSD-2-Clause
/*
 * stacks [--svg FILE] RECORD...
 *
 * Prints the call stacks that libpcmap.so has recorded (PCMAP_STACKS), of one or more processes together, as collapsed
 * stacks; and draws a flame graph. Also of processes that were killed, or still run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "examples/pcmap/flame.h"
#include "examples/pcmap/record.h"

static uint64_t samples, dropped, unfinished;

static void usage(FILE *out)
{
    (void)fprintf(out,
                  "usage: stacks [--svg FILE] RECORD...\n\n"
                  "Prints the call stacks in records of libpcmap.so (PCMAP_STACKS) as collapsed stacks:\n"
                  "frames from the outermost on, separated by ';', and the number of samples.\n\n"
                  "  --svg FILE   draws a flame graph of them as well\n");
}

static void add_stack(const char *stack, uint64_t count, void *unused)
{
    (void)unused;
    flame_add(stack, count);
    samples += count;
}

static bool read_file(const char *path)
{
    struct record *record = record_open(path);
    struct record_losses losses;

    if (record == NULL) {
        (void)fprintf(stderr, "stacks: %s: %s\n", path,
                      errno != 0 ? strerror(errno) : "not a record of call stacks");
        return false;
    }
    (void)record_take(record, add_stack, NULL);
    losses = record_lost(record);
    dropped += losses.dropped;
    unfinished += losses.unfinished;
    record_close(record);
    return true;
}

static bool draw(const char *path, const char *of)
{
    char title[512];
    FILE *out = fopen(path, "we");
    bool failed;

    if (out == NULL) {
        (void)fprintf(stderr, "stacks: %s: %s\n", path, strerror(errno));
        return false;
    }
    (void)snprintf(title, sizeof title, "%s: %" PRIu64 " samples", of, samples);
    flame_draw(out, title);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        (void)fprintf(stderr, "stacks: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"svg", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *svg = NULL;
    bool right = true;
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (name != 's') {
            usage(name == 'h' ? stdout : stderr);
            return name == 'h' ? 0 : 2;
        }
        svg = optarg;
    }
    if (optind == argc) {
        usage(stderr);
        return 2;
    }
    for (int i = optind; i < argc; i++) {
        right &= read_file(argv[i]);
    }
    flame_print(stdout);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)fprintf(stderr, "stacks: standard output: %s\n", strerror(errno));
        right = false;
    }
    if (dropped > 0 || unfinished > 0) {
        (void)fprintf(stderr,
                      "stacks: %" PRIu64 " samples found no room (PCMAP_STACKS_MB), %" PRIu64
                      " are unfinished\n",
                      dropped, unfinished);
    }
    return (svg == NULL || draw(svg, argv[optind])) && right ? 0 : 1;
}
