// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/percpu_ref/percpu.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/cancel.h"
#include "pagemap/base/fault.h"
#include "pagemap/percpu_ref/restart.h"

enum { WORDS = PM_PERCPU_UNIT / 8, BITS = 64, MAX_CPUS = 1024, LAST_CPU = CPU_SETSIZE - 1 };

/* Chunks stay for the life of the process; there is one per 512 references alive at the same time. */
struct chunk {
    struct chunk *next;
    char *base;
    uint64_t used[WORDS / BITS];
};

unsigned pm_percpu_cpus;

static struct chunk *chunks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The last number of "0-3,8-11", plus 1: what CPUs there can be, with gaps in their numbers; 1 where it is not told. */
static long possible_cpus(void)
{
    FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
    long cpus = 1;
    unsigned last;

    while (file != NULL && fscanf(file, "%u%*1[-,]", &last) == 1) {
        cpus = (long)last + 1;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return cpus;
}

/* The highest CPU that this thread may run on now, plus 1; 1 where it is not told. */
static long allowed_cpus(void)
{
    cpu_set_t set;
    unsigned cpu = sched_getaffinity(0, sizeof set, &set) == 0 ? LAST_CPU : 0;

    while (cpu > 0 && !CPU_ISSET(cpu, &set)) {
        cpu--;
    }
    return (long)cpu + 1;
}

static long larger(long a, long b)
{
    return a > b ? a : b;
}

/* A guess: too many costs memory, too few makes counts on the others slower. */
static unsigned guess_cpus(void)
{
    int cancel = pm_cancel_off(); /* they open files, and we have the lock */
    long cpus = larger(sysconf(_SC_NPROCESSORS_CONF), larger(possible_cpus(), allowed_cpus()));

    pm_cancel_restore(cancel);
    return cpus < MAX_CPUS ? (unsigned)cpus : MAX_CPUS;
}

static size_t chunk_bytes(void)
{
    return (size_t)PM_PERCPU_UNIT * pm_percpu_cpus;
}

static struct chunk *add_chunk(void)
{
    struct chunk *chunk = pm_alloc(sizeof *chunk);

    if (chunk == NULL) {
        return NULL;
    }
    if (chunks == NULL) {
        pm_percpu_cpus = guess_cpus(); /* before any word exists, hence before it is read */
        pm_restart_prepare();          /* likewise */
    }
    chunk->base = mmap(NULL, chunk_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk->base == MAP_FAILED) {
        free(chunk);
        return NULL;
    }
    chunk->next = chunks;
    chunks = chunk;
    return chunk;
}

/* A free word of the chunk, taken; NULL if it is full. */
static uint64_t *take(struct chunk *chunk)
{
    for (unsigned i = 0; i < WORDS / BITS; i++) {
        if (chunk->used[i] != UINT64_MAX) {
            unsigned bit = (unsigned)__builtin_ctzll(~chunk->used[i]);

            chunk->used[i] |= UINT64_C(1) << bit;
            return (uint64_t *)(void *)chunk->base + i * BITS + bit;
        }
    }
    return NULL;
}

uint64_t *pm_percpu_alloc(void)
{
    uint64_t *first = NULL;

    if (pm_fault_here()) {
        return NULL;
    }
    (void)pthread_mutex_lock(&lock);
    for (struct chunk *chunk = chunks; chunk != NULL && first == NULL; chunk = chunk->next) {
        first = take(chunk);
    }
    if (first == NULL) {
        struct chunk *chunk = add_chunk();

        first = chunk == NULL ? NULL : take(chunk);
    }
    (void)pthread_mutex_unlock(&lock);
    if (first != NULL) {
        for (unsigned cpu = 0; cpu < pm_percpu_cpus; cpu++) {
            pm_store_relaxed(pm_percpu_word(first, cpu), 0);
        }
    }
    return first;
}

static uintptr_t offset_in(const struct chunk *chunk, const uint64_t *first)
{
    return (uintptr_t)first - (uintptr_t)chunk->base;
}

void pm_percpu_free(uint64_t *first)
{
    struct chunk *chunk;
    uintptr_t word;

    if (first == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    chunk = chunks;
    while (offset_in(chunk, first) >= PM_PERCPU_UNIT) {
        chunk = chunk->next;
    }
    word = offset_in(chunk, first) / 8;
    chunk->used[word / BITS] &= ~(UINT64_C(1) << word % BITS);
    (void)pthread_mutex_unlock(&lock);
}
