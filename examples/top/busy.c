// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program with maps to look at. It prints a line for each command that it has read from its input:
 *   counts     what rangemap_stats() says of "code", a map at rest
 *   withdraw   ends "code"
 *   fork       the id of a child that publishes a map of its own
 * and ends with its input. Meanwhile two threads update "heap", and another one stalls in that map's domain.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/top/publish.h"

enum { CODE_RANGES = 1000, HEAP_KEYS = 64, WRITERS = 2 };

static struct rangemap *code, *heap;

static void require(int result, const char *what)
{
    if (result != 0) {
        (void)fprintf(stderr, "busy: %s: %s\n", what, strerror(-result));
        exit(1);
    }
}

/* The stalled reader soon lets the domain reach its limit; then it is busy in its own way. */
static void *write_heap(void *unused)
{
    (void)unused;
    for (uint64_t i = 0;; i++) {
        int error = rangemap_store(heap, i % HEAP_KEYS, i % HEAP_KEYS, NULL, NULL, NULL);

        if (error == -EBUSY) {
            (void)usleep(1000);
        } else {
            require(error, "store");
        }
    }
    return NULL;
}

static void *stall(void *unused)
{
    (void)unused;
    (void)prctl(PR_SET_NAME, "sleeper");
    require(rangemap_read_begin(heap), "section");
    for (;;) {
        (void)pause();
    }
    return NULL;
}

static void make_maps(void)
{
    const struct rangemap_domain_options limited = {.hard_limit_bytes = 64 << 20};
    struct rangemap_options options = {0};

    require(rangemap_create(NULL, &code), "create");
    for (uint64_t i = 0; i < CODE_RANGES; i++) {
        require(rangemap_insert(code, i * 16, i * 16 + 7, NULL, NULL), "insert");
    }
    require(rangemap_domain_create(&limited, &options.domain), "domain");
    require(rangemap_create(&options, &heap), "create");
    require(top_publish(code, "code"), "publish");
    require(top_publish(heap, "heap of all things"), "publish");
}

/* What publishing refuses. */
static void check_refusals(void)
{
    if (top_publish(code, "again") != -EEXIST || top_publish(NULL, "no map") != -EINVAL ||
        top_publish(code, "") != -EINVAL || top_publish(code, "a \"quote\"") != -EINVAL ||
        top_publish(code, "a name of many words that goes on, and on, and on") != -EINVAL) {
        (void)fprintf(stderr, "busy: top_publish() takes what it should refuse\n");
        exit(1);
    }
}

static void start(void *(*run)(void *))
{
    pthread_t thread;

    require(-pthread_create(&thread, NULL, run, NULL), "thread");
}

static void print_counts(void)
{
    struct rangemap_statistics counts;

    require(rangemap_stats(code, &counts), "stats");
    printf("%u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts.height, counts.ranges, counts.leaves,
           counts.inner_nodes);
}

/* Publishes before its id is known, so that nobody looks too early. */
static void print_child(void)
{
    int told[2];
    char letter;
    pid_t child;

    require(pipe(told) == 0 ? 0 : -errno, "pipe");
    child = fork();
    if (child == 0) {
        struct rangemap *map;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        require(rangemap_create(NULL, &map), "create in the child");
        require(top_publish(map, "nursery"), "publish in the child");
        (void)!write(told[1], "", 1);
        for (;;) {
            (void)pause();
        }
    }
    (void)close(told[1]);
    require(child > 0 && read(told[0], &letter, 1) == 1 ? 0 : -ECHILD, "fork");
    (void)close(told[0]);
    printf("%ld\n", (long)child);
}

static void withdraw(void)
{
    top_withdraw(code);
    require(rangemap_destroy(code), "destroy");
    code = NULL;
    printf("done\n");
}

int main(void)
{
    char command[16];

    make_maps();
    check_refusals();
    start(stall);
    for (unsigned i = 0; i < WRITERS; i++) {
        start(write_heap);
    }
    while (fgets(command, sizeof command, stdin) != NULL) {
        if (strcmp(command, "counts\n") == 0) {
            print_counts();
        } else if (strcmp(command, "fork\n") == 0) {
            print_child();
        } else if (strcmp(command, "withdraw\n") == 0) {
            withdraw();
        } else {
            printf("no such command\n");
        }
        (void)fflush(stdout);
    }
    return 0;
}
