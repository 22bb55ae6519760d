// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* asprintf */
#include "examples/vmwatch/collect.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* ---- one process ---- */

static void print_result(FILE *out, const struct slot *slot)
{
    const struct slot_result *result = &slot->result;

    (void)fprintf(out, "ranges %" PRIu64 " kernel %" PRIu64 " KiB %" PRIu64, result->ranges,
                  result->kernel_ranges, result->kib);
}

/* The file of a process: the lines that it left, and a last one. */
static void keep_report(const struct collector *collector, const struct slot *slot, const char *fate)
{
    char *path = NULL;
    bool is_kept = false;
    FILE *file;

    if (collector->reports == NULL ||
        asprintf(&path, "%s/%" PRIu32 ".%" PRIu32, collector->reports, slot->pid, slot->turn) < 0) {
        return;
    }
    file = fopen(path, "we");
    if (file != NULL) {
        (void)fprintf(file, "process %" PRIu32 " %s\n%.*s", slot->pid, slot->program, (int)slot->used,
                      slot->text);
        print_result(file, slot);
        (void)fprintf(file, "\nresult differ %" PRIu64 " explained %" PRIu64 " lost %" PRIu64 "%s\n",
                      slot->result.differ, slot->result.explained, slot->result.lost, fate);
        is_kept = ferror(file) == 0;
        is_kept = fclose(file) == 0 && is_kept;
    }
    if (!is_kept) {
        (void)fprintf(stderr, "vmwatch: %s: %s\n", path, strerror(errno));
    }
    free(path);
}

/* The lines that say more than figures. */
static void print_lines(const struct slot *slot)
{
    const char *line = slot->text, *end = slot->text + slot->used;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        next = next != NULL ? next : end;
        if (strncmp(line, "calls ", 6) != 0) {
            (void)fprintf(stderr, "vmwatch: %" PRIu32 " %s: %.*s\n", slot->pid, slot->program,
                          (int)(next - line), line);
        }
        line = next + 1;
    }
    if (slot->is_cut != 0) {
        (void)fprintf(stderr, "vmwatch: %" PRIu32 " %s: and more\n", slot->pid, slot->program);
    }
}

static void print_compared(const struct collector *collector, const struct slot *slot, const char *fate)
{
    const struct slot_result *result = &slot->result;

    if (collector->quiet && result->differ == 0 && result->lost == 0) {
        return;
    }
    (void)fprintf(stderr, "vmwatch: %" PRIu32 " %s: ", slot->pid, slot->program);
    print_result(stderr, slot);
    (void)fprintf(stderr, "; %" PRIu64 " differ, %" PRIu64 " explained, %" PRIu64 " updates lost%s\n",
                  result->differ, result->explained, result->lost, fate);
}

/* `fate`: how it ended, for the reader; "" if by itself. */
static void take(struct collector *collector, struct slot *slot, bool is_compared, const char *fate)
{
    struct total *total = &collector->total;
    char more[256] = "";

    total->followed++;
    total->comparisons += slot->comparisons;
    total->differ += slot->differed;
    if (slot->reason[0] != '\0') {
        fate = slot->reason;
    }
    if (slot->comparisons > 0) {
        (void)snprintf(more, sizeof more, "; compared %" PRIu32 " times while it ran, %" PRIu64 " differ",
                       slot->comparisons, slot->differed);
    }
    (void)snprintf(more + strlen(more), sizeof more - strlen(more), "%s%s", *fate != '\0' ? "; " : "", fate);
    print_lines(slot);
    keep_report(collector, slot, more);
    if (is_compared) {
        total->compared++;
        total->differ += slot->result.differ;
        total->explained += slot->result.explained;
        total->lost += slot->result.lost;
        print_compared(collector, slot, more);
    } else {
        total->not_compared++;
        (void)fprintf(stderr, "vmwatch: %" PRIu32 " %s: not compared at its end%s\n", slot->pid,
                      slot->program,
                      *more != '\0' ? more : "; it ended by a signal, or by a call that is not seen");
    }
    collector->told[slot - collector->slots->slot] = 0;
    __atomic_store_n(&slot->state, SLOT_FREE, __ATOMIC_RELEASE);
}

/* Of a process that runs: whether it has been compared since. */
static void tell_comparisons(struct collector *collector, const struct slot *slot)
{
    uint32_t *told = &collector->told[slot - collector->slots->slot];
    uint32_t comparisons = __atomic_load_n(&slot->comparisons, __ATOMIC_ACQUIRE);

    if (comparisons == *told) {
        return;
    }
    *told = comparisons;
    if (!collector->quiet || slot->differed > 0) {
        (void)fprintf(stderr, "vmwatch: %" PRIu32 " %s: compared while it runs, %" PRIu64 " differ\n",
                      slot->pid, slot->program, slot->differed);
    }
}

/* ---- all of them ---- */

static bool is_alive(const struct slot *slot)
{
    return slot->pid == 0 || kill((pid_t)slot->pid, 0) == 0 || errno == EPERM;
}

/* Whether the process has a later slot: it has become another program that is followed. */
static bool has_successor(const struct slots *slots, const struct slot *slot)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *other = &slots->slot[i];

        if (other->pid == slot->pid && __atomic_load_n(&other->state, __ATOMIC_ACQUIRE) >= SLOT_RUNNING &&
            (int32_t)(other->turn - slot->turn) > 0) {
            return true;
        }
    }
    return false;
}

static const char became_unseen[] = "it became a program that is not followed";

static void look_at(struct collector *collector, struct slot *slot, bool *is_left)
{
    enum slot_state state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
    bool was_alive = is_alive(slot);

    if (!was_alive) {
        state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE); /* its last word */
    }
    if (state == SLOT_DONE) {
        take(collector, slot, slot->is_compared != 0, "");
    } else if (state == SLOT_EXEC && has_successor(collector->slots, slot)) {
        take(collector, slot, slot->is_compared != 0, "it became another program");
    } else if (state == SLOT_EXEC && !was_alive) {
        take(collector, slot, slot->is_compared != 0, became_unseen);
        collector->total.followed++;
        collector->total.not_compared++;
    } else if (state == SLOT_RUNNING && !was_alive) {
        take(collector, slot, false, "");
    } else if (state != SLOT_FREE) {
        tell_comparisons(collector, slot);
        *is_left = true;
    }
}

/* Those that became other programs come before these, which are their successors, whatever their places. */
bool collect(struct collector *collector)
{
    bool is_left = false;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (__atomic_load_n(&collector->slots->slot[i].state, __ATOMIC_RELAXED) == SLOT_EXEC) {
            look_at(collector, &collector->slots->slot[i], &is_left);
        }
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (__atomic_load_n(&collector->slots->slot[i].state, __ATOMIC_RELAXED) != SLOT_EXEC) {
            look_at(collector, &collector->slots->slot[i], &is_left);
        }
    }
    return is_left;
}

/* Those that were killed before they had a slot, and forks that failed, are not told apart. */
static void await_births(struct collector *collector)
{
    const struct timespec pause = {0, 1000000};
    struct total *total = &collector->total;
    uint32_t unborn;

    for (unsigned looks = 0; __atomic_load_n(&collector->slots->unborn, __ATOMIC_ACQUIRE) > 0 && looks < 1000;
         looks++) {
        (void)nanosleep(&pause, NULL);
    }
    unborn = __atomic_load_n(&collector->slots->unborn, __ATOMIC_ACQUIRE);
    if (unborn > 0) {
        (void)fprintf(stderr, "vmwatch: %" PRIu32 " children were not seen: ended at once, or never made\n",
                      unborn);
        total->followed += unborn;
        total->not_compared += unborn;
    }
}

void collect_rest(struct collector *collector)
{
    await_births(collector);
    (void)collect(collector);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &collector->slots->slot[i];
        enum slot_state state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

        if (state == SLOT_EXEC) {
            take(collector, slot, slot->is_compared != 0, became_unseen);
            collector->total.not_compared++;
            collector->total.followed++;
        } else if (state != SLOT_FREE) {
            take(collector, slot, false, "it still runs");
        }
    }
    collector->total.followed += collector->slots->no_room;
    collector->total.not_compared += collector->slots->no_room;
}
