// SPDX-License-Identifier: BSD-2-Clause
/*
 * A small world that is run over and over: a map in a state of its own, up to four threads with a few
 * operations each. Before every run all memory is put back, bit for bit, so that the same schedule does the
 * same again.
 */
#ifndef RANGEMAP_TEST_EXPLORER_WORLD_H
#define RANGEMAP_TEST_EXPLORER_WORLD_H

#include "test/explorer/threads.h"
#include "test/history/operation.h"
#include "test/mutations/rules.h"

enum { WORLD_THREADS = 4, WORLD_STEPS = THREADS_OPERATIONS, WORLD_PRELUDE = 24 };

/* An operation to be, without room for its answer; in the order of struct operation. */
struct step {
    enum operation_kind kind; /* DO_NOTHING ends a list */
    uint64_t start, last;
    uint64_t value;
    uint64_t expected;
    uint64_t number;
    bool downwards;
};

/* The operation, without its answer. */
static inline struct operation world_operation(const struct step *step)
{
    return (struct operation){.kind = step->kind,
                              .start = step->start,
                              .last = step->last,
                              .value = step->value,
                              .expected = step->expected,
                              .number = step->number,
                              .downwards = step->downwards};
}

/* How sections begin that come first. */
enum scenario_light {
    SCENARIO_FENCED,
    SCENARIO_LIGHT, /* without a fence, until that is taken away */
    SCENARIO_EARNS  /* with a fence, once: that earns light ones */
};

struct scenario {
    const char *name;
    enum threads_memory memory; /* but for the first kind, what concerns sections takes several steps */
    bool strangers;             /* in weak memory: nothing but the map orders the threads */
    bool refuses;               /* the kernel refuses the first heavy fence */
    enum scenario_light light;  /* where they have */
    bool splits;                /* values move with the start of their range */
    bool gaps;                  /* the map tracks gaps */
    bool draws; /* threads take nodes from the pool as they need them; else they have reserved some */
    bool keeps; /* freed nodes are not used again in the same run */
    struct step before[WORLD_PRELUDE]; /* makes the map what it is at first */
    struct step thread[WORLD_THREADS][WORLD_STEPS];
};

/* Makes the world of a scenario. One at a time. */
void world_create(const struct scenario *scenario);
void world_destroy(void);

/*
 * Runs it once. NULL, or what went wrong: answers that no sequential map could have given, a broken
 * invariant, a node or value mistreated, no end. While the threads run, one rule may be broken. The schedule
 * holds the switches made.
 */
const char *world_run(struct schedule *schedule, enum rm_rule broken);

/* The history of the last run. */
void world_print(FILE *out);

/* A digest of everything the last run did: every access, every answer. */
uint64_t world_fingerprint(void);

/* The most switching points that a run had since world_create(). */
unsigned world_longest(void);

#endif
