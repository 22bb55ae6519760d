// SPDX-License-Identifier: BSD-2-Clause
/* Calls of the library, watched, and the callbacks that they make. */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/life/life.h"
#include "test/shim/ctest.h"

_Thread_local unsigned life_callbacks;
_Thread_local bool life_may_call_back;
bool life_frees_nothing;

/* What an update may be made to end at most beyond three times what it handed over; see rangemap/epoch/upkeep.h. */
enum { UPDATE_CALLBACKS_MAX = 256 };

void life_fault(struct life *life, const char *text)
{
    const char *none = NULL;

    life->faults++;
    (void)atomic_compare_exchange_strong(&life->first_fault, &none, text);
}

/* ---- callbacks ---- */

static void hold_if_wanted(struct life *life)
{
    unsigned wanted = LIFE_HOLD_WANTED;

    if (atomic_compare_exchange_strong(&life->hold, &wanted, LIFE_HOLD_HOLDS)) {
        while (life->hold == LIFE_HOLD_HOLDS) {
            (void)usleep(50);
        }
    }
}

/* They do what users' callbacks do: things at which a thread can be cancelled. */
static void note_callback(struct life *life)
{
    life_callback_enter();
    life_callbacks++;
    pthread_testcancel();
    hold_if_wanted(life);
    if (life->asked && !life_may_call_back) {
        life_fault(life, "a callback that nobody asked for");
    }
    life_callback_leave();
}

static void release(void *value, void *context)
{
    struct life *life = context;

    (void)value;
    life->released++;
    note_callback(life);
}

static void retain(void *value, void *context)
{
    struct life *life = context;

    (void)value;
    life->owned++;
}

static void run_deferred(struct rangemap_deferred *deferred, void *context)
{
    struct life *life = context;

    life->ran++;
    life_callback_enter();
    if (!life_frees_nothing) {
        free(deferred);
    }
    life_callback_leave();
    note_callback(life);
}

void life_note_ended(void *context)
{
    struct life *life = context;

    life->ended++;
    note_callback(life);
}

/* ---- calls ---- */

void life_begin_update(const struct life *life)
{
    life_may_call_back = !life->asked;
    life_enter();
}

static void end_update(struct life *life)
{
    life_leave(life);
    if (life_callbacks > UPDATE_CALLBACKS_MAX) {
        life_fault(life, "one small update ended hundreds of things");
    }
}

int life_try_store(struct life *life, unsigned map, uint64_t start, uint64_t last)
{
    int error;

    life_begin_update(life);
    error = rangemap_store(life->map[map], start, last, (void *)(uintptr_t)(start + 1), NULL, NULL);
    if (error == 0) {
        life->owned++;
    }
    end_update(life);
    return error;
}

void life_store(struct life *life, unsigned map, uint64_t start, uint64_t last)
{
    if (life_try_store(life, map, start, last) != 0) {
        life_fault(life, "an update failed although there is memory");
    }
}

void life_carve(struct life *life, unsigned map, uint64_t start, uint64_t last)
{
    life_begin_update(life);
    (void)rangemap_carve(life->map[map], start, last, NULL, NULL);
    end_update(life);
}

void life_defer(struct life *life)
{
    struct rangemap_deferred *deferred = malloc(sizeof *deferred);

    REQUIRE(deferred != NULL);
    life->deferred++;
    life_may_call_back = !life->asked;
    life_enter();
    if (rangemap_domain_defer(life->domain, deferred, run_deferred, life) != 0) {
        life_fault(life, "a deferred call was refused");
    }
    life_leave(life);
}

int life_create_map(struct life *life, struct rangemap **map)
{
    struct rangemap_options options = {
        .domain = life->domain, .release = release, .retain = retain, .context = life};

    return rangemap_create(&options, map);
}
