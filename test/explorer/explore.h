// SPDX-License-Identifier: BSD-2-Clause
/* Runs a scenario under many schedules. */
#ifndef RANGEMAP_TEST_EXPLORER_EXPLORE_H
#define RANGEMAP_TEST_EXPLORER_EXPLORE_H

#include "test/explorer/world.h"

struct exploration {
    unsigned bound;      /* most preemptions of systematic schedules */
    uint64_t systematic; /* most schedules of each bound */
    uint64_t random;     /* schedules */
    enum rm_rule broken; /* RM_NO_RULE */
    /* What came of it. */
    uint64_t schedules;
    uint64_t parked;   /* of these, with a thread parked for ever */
    unsigned complete; /* bounds 0 to complete - 1 were exhausted */
    unsigned longest;  /* points of the longest run */
    const char *fault; /* or NULL; then `schedule` leads to it, and `text` is the history too */
    char schedule[4096];
    char text[16384];
};

/* Stops at the first fault. */
void explore(const struct scenario *scenario, struct exploration *exploration);

/*
 * Parks one thread for ever, at each of its points in turn: first with nothing before it, then `random` times in
 * the midst of what the others do. Those must come to an end, and so must reading the whole map.
 */
void explore_parked(const struct scenario *scenario, struct exploration *exploration, unsigned thread);

/* Explores as much as the test's scale allows. A fault fails the test and prints the schedule. */
void explore_test(const struct scenario *scenario);

/* What one schedule leads to: NULL or a fault. */
const char *explore_replay(const struct scenario *scenario, const char *schedule, enum rm_rule broken);

/*
 * Lets the adversary schedule the scenario. Returns the most attempts in vain before some update was
 * completed; *fault is what world_run() said.
 */
unsigned explore_adversary(const struct scenario *scenario, enum rm_rule broken, const char **fault);

#endif
