// SPDX-License-Identifier: BSD-2-Clause
/*
 * get_dev_pagemap() + put_dev_pagemap(), beside a bare rangemap lookup and beside the obvious alternative: a
 * rwlock around a sorted array of ranges, and one atomic counter per mapping.
 *
 *     pagemap_bench [MILLISECONDS PER MEASUREMENT] [REPETITIONS]
 *
 * Prints the best of the repetitions in millions of pairs (or lookups) per second, all threads together: what
 * else runs on the machine can only make a repetition slower. Then the tables of paths.h.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/pagemap/paths.h"
#include "pagemap/pagemap.h"
#include "rangemap/rangemap.h"
#include "test/shim/prng.h"

enum { MAX_THREADS = 16, MAX_MAPPINGS = 1024, MAX_REPETITIONS = 31, KEYS = 4096, BATCH = 256 };

#define UNIT (UINT64_C(2) << 20)

/* ---- the three that compete; `mappings` ranges of 2 MiB with gaps between ---- */

static struct range ranges[MAX_MAPPINGS];
static struct dev_pagemap pagemaps[MAX_MAPPINGS];
static struct rangemap *bare;

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned nr_mappings;
static struct {
    uint64_t first, last, count;
} __attribute__((aligned(64))) locked[MAX_MAPPINGS];

static uint64_t one_pagemap(uint64_t pfn)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

    put_dev_pagemap(pgmap);
    return pgmap != NULL;
}

static uint64_t one_lookup(uint64_t pfn)
{
    void *value = NULL;

    return rangemap_lookup(bare, pfn, &value) == 0;
}

static uint64_t one_locked(uint64_t pfn)
{
    unsigned low = 0, high = nr_mappings;

    (void)pthread_rwlock_rdlock(&rwlock);
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;

        if (locked[middle].first <= pfn) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (pfn > locked[low].last) {
        low = MAX_MAPPINGS;
    } else {
        (void)__atomic_fetch_add(&locked[low].count, 1, __ATOMIC_RELAXED);
    }
    (void)pthread_rwlock_unlock(&rwlock);
    if (low == MAX_MAPPINGS) {
        return 0;
    }
    (void)__atomic_fetch_sub(&locked[low].count, 1, __ATOMIC_RELEASE);
    return 1;
}

static const struct contender {
    const char *name;
    uint64_t (*one)(uint64_t pfn);
} contenders[] = {
    {"rangemap lookup", one_lookup}, {"get + put", one_pagemap}, {"rwlock + counter", one_locked}};

static void set_up(unsigned mappings)
{
    struct rangemap_options options = {.domain = NULL};

    if (rangemap_create(&options, &bare) != 0) {
        abort();
    }
    nr_mappings = mappings;
    for (unsigned i = 0; i < mappings; i++) {
        uint64_t start = i * 2 * UNIT;

        ranges[i].start = start;
        ranges[i].end = start + UNIT - 1;
        pagemaps[i] = (struct dev_pagemap){.type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = ranges[i]};
        locked[i].first = PHYS_PFN(start);
        locked[i].last = PHYS_PFN(ranges[i].end);
        if (IS_ERR(memremap_pages(&pagemaps[i], -1)) ||
            rangemap_insert(bare, locked[i].first, locked[i].last, &pagemaps[i], NULL) != 0) {
            abort();
        }
    }
}

static void tear_down(void)
{
    for (unsigned i = 0; i < nr_mappings; i++) {
        memunmap_pages(&pagemaps[i]);
    }
    (void)rangemap_destroy(bare);
}

/* ---- measuring ---- */

struct worker {
    pthread_t thread;
    const struct contender *contender;
    uint64_t keys[KEYS];
    uint64_t done, hits;
    double seconds, cpu_seconds;
};

static struct worker workers[MAX_THREADS];
static pthread_barrier_t start_line;
static uint64_t stop;

static double seconds(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *work(void *context)
{
    struct worker *worker = context;
    uint64_t done = 0, hits = 0;
    double began, cpu_began;

    (void)pthread_barrier_wait(&start_line);
    began = seconds(CLOCK_MONOTONIC);
    cpu_began = seconds(CLOCK_THREAD_CPUTIME_ID);
    while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {
        for (unsigned i = 0; i < BATCH; i++) {
            hits += worker->contender->one(worker->keys[(done + i) % KEYS]);
        }
        done += BATCH;
    }
    worker->cpu_seconds = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
    worker->seconds = seconds(CLOCK_MONOTONIC) - began;
    worker->done = done;
    worker->hits = hits;
    return NULL;
}

/* Millions per second. Every key is a hit: a miss means that something is broken. */
static double measure(const struct contender *contender, unsigned threads, unsigned milliseconds,
                      double *cpu_nanoseconds)
{
    uint64_t done = 0;
    double rate = 0, cpu = 0;

    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
    (void)pthread_barrier_init(&start_line, NULL, threads + 1);
    for (unsigned t = 0; t < threads; t++) {
        struct prng prng = prng_stream(1, t);

        workers[t].contender = contender;
        for (unsigned k = 0; k < KEYS; k++) {
            workers[t].keys[k] = locked[prng_below(&prng, nr_mappings)].first + prng_below(&prng, 512);
        }
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) != 0) {
            abort();
        }
    }
    (void)pthread_barrier_wait(&start_line);
    (void)usleep(milliseconds * 1000);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (unsigned t = 0; t < threads; t++) {
        (void)pthread_join(workers[t].thread, NULL);
        if (workers[t].done != workers[t].hits) {
            (void)fprintf(stderr, "%s: a pfn that is mapped was not found\n", contender->name);
            exit(1);
        }
        done += workers[t].done;
        cpu += workers[t].cpu_seconds;
        rate +=
            (double)workers[t].done / workers[t].seconds; /* by its own clock: this thread may wake up late */
    }
    *cpu_nanoseconds = cpu * 1e9 / (double)done;
    (void)pthread_barrier_destroy(&start_line);
    return rate / 1e6;
}

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/*
 * The contenders take turns, so that a disturbance of the machine hits all alike. The time per pair on the CPU
 * tells sharing of cache lines from waiting for a CPU: it grows with the threads only for the former.
 */
static void report(unsigned threads, unsigned milliseconds, unsigned repetitions)
{
    static double rate[3][MAX_REPETITIONS], cost[3][MAX_REPETITIONS];

    for (unsigned r = 0; r < repetitions; r++) {
        for (unsigned c = 0; c < 3; c++) {
            rate[c][r] = measure(&contenders[c], threads, milliseconds, &cost[c][r]);
        }
    }
    (void)printf("%8u %7u ", nr_mappings, threads);
    for (unsigned c = 0; c < 3; c++) {
        qsort(rate[c], repetitions, sizeof rate[c][0], by_value);
        qsort(cost[c], repetitions, sizeof cost[c][0], by_value);
        (void)printf(" %11.2f %8.1f", rate[c][repetitions - 1], cost[c][repetitions / 2]);
    }
    (void)printf(" %8.2f\n", rate[0][repetitions - 1] / rate[1][repetitions - 1]);
}

int main(int argc, char **argv)
{
    static const unsigned mappings[] = {1, 16, 1024};
    unsigned milliseconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 30;
    unsigned repetitions = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 21;
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = MAX_MAPPINGS * 2 * UNIT};
    struct pagemap_memory *memory;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    repetitions = repetitions > MAX_REPETITIONS ? MAX_REPETITIONS : repetitions;
    if (repetitions == 0 || pagemap_memory_create(&options, &memory) != 0 ||
        pagemap_memory_plug(memory, 0) != 0) {
        return 1;
    }
    (void)printf("%ld CPUs, %u ms, best of %u in millions per second; median CPU time in ns\n", cpus,
                 milliseconds, repetitions);
    (void)printf("%8s %7s  %20s %20s %20s %8s\n", "mappings", "threads", contenders[0].name,
                 contenders[1].name, contenders[2].name, "lookups");
    for (unsigned m = 0; m < sizeof mappings / sizeof *mappings; m++) {
        set_up(mappings[m]);
        for (unsigned threads = 1; threads <= MAX_THREADS && (long)threads <= 2 * cpus; threads *= 2) {
            report(threads, milliseconds, repetitions);
        }
        tear_down();
    }
    if (pagemap_memory_unplug(memory) != 0 || pagemap_memory_destroy(memory) != 0) {
        return 1;
    }
    return bench_paths(repetitions);
}
