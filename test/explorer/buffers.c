// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/buffers.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "test/explorer/schedule.h"

enum { STORES = 64, NOBODY = SCHEDULE_THREADS };

struct store {
    void *address;
    size_t bytes;
    uint64_t other; /* what others see there if the thread runs, else what it sees itself */
};

/* Oldest first. */
static struct buffer {
    unsigned count;
    struct store store[STORES];
} buffer[SCHEDULE_THREADS];

static unsigned running = NOBODY;

static void exchange(struct store *store)
{
    uint64_t seen = 0;

    memcpy(&seen, store->address, store->bytes);
    memcpy(store->address, &store->other, store->bytes);
    store->other = seen;
}

static void show(struct buffer *shown)
{
    for (unsigned i = 0; i < shown->count; i++) {
        exchange(&shown->store[i]);
    }
}

static void hide(struct buffer *hidden)
{
    for (unsigned i = hidden->count; i > 0; i--) {
        exchange(&hidden->store[i - 1]);
    }
}

void buffers_reset(void)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        buffer[i].count = 0;
    }
    running = NOBODY;
}

void buffers_run(unsigned thread)
{
    if (running != NOBODY) {
        hide(&buffer[running]);
    }
    running = thread;
    if (running != NOBODY) {
        show(&buffer[running]);
    }
}

void buffers_delay(void *address, size_t bytes)
{
    struct buffer *own = &buffer[running];
    struct store *store;

    if (own->count == STORES) {
        buffers_drain_one(running);
    }
    store = &own->store[own->count++];
    *store = (struct store){address, bytes, 0};
    memcpy(&store->other, address, bytes);
}

void buffers_fence(void)
{
    buffer[running].count = 0;
}

void buffers_drain_one(unsigned thread)
{
    struct buffer *drained = &buffer[thread];
    unsigned ran = running;

    if (drained->count == 0) {
        return;
    }
    if (thread != ran) { /* into memory as all see it */
        buffers_run(NOBODY);
        exchange(&drained->store[0]);
    }
    drained->count--;
    memmove(&drained->store[0], &drained->store[1], drained->count * sizeof drained->store[0]);
    buffers_run(ran);
}

void buffers_drain_all(void)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        while (buffer[i].count > 0) {
            buffers_drain_one(i);
        }
    }
}

static bool holds(const struct buffer *searched, const void *word)
{
    for (unsigned i = 0; i < searched->count; i++) {
        if (word == NULL || searched->store[i].address == word) {
            return true;
        }
    }
    return false;
}

unsigned buffers_holding(const void *word)
{
    unsigned set = 0;

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        set |= (unsigned)holds(&buffer[i], word) << i;
    }
    return set;
}
