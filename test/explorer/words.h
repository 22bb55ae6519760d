// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is remembered of each word of memory during one run in weak memory: who accessed it when, and which values a
 * thread may still read there.
 *
 * Memory itself holds the newest value of each word. A word that was not stored to atomically in this run has no
 * history: it has that value only.
 */
#ifndef RANGEMAP_TEST_EXPLORER_WORDS_H
#define RANGEMAP_TEST_EXPLORER_WORDS_H

#include "test/explorer/view.h"

enum { WORD_BYTES = 8, HISTORY_MESSAGES = 24 };

/* A store: its value, and what whoever acquires it sees. */
struct message {
    uint64_t value;
    struct view view;
    unsigned thread;
    uint32_t number; /* of the store among its thread's accesses; 0: from before the run */
    uint32_t read_first[SCHEDULE_THREADS]; /* each thread's first access that read it; 0: none */
    uint32_t order; /* among all sequentially consistent accesses and fences; 0: it is none */
    bool is_update; /* by a read-modify-write: nothing comes between it and the one before */
};

/* The stores to one place, of 4 or 8 bytes, in modification order. If there are too many the oldest are forgotten. */
struct history {
    unsigned bytes; /* 0: none */
    unsigned count;
    struct message message[HISTORY_MESSAGES];
};

/* Of each kind, each thread's last access. */
struct word {
    uintptr_t key;
    uint32_t run;
    uint32_t read[SCHEDULE_THREADS], written[SCHEDULE_THREADS]; /* plainly */
    uint32_t loaded[SCHEDULE_THREADS], stored[SCHEDULE_THREADS];
    struct history *half[2]; /* of what begins at its first byte, and at its fifth; NULL: none */
};

/* Forgets everything. */
void words_reset(void);

/* The word around `address`. NULL: there are too many. */
struct word *words_at(const void *address);

/* The history of that place in its word; NULL: none yet. */
struct history *words_history(const struct word *word, const void *address);

/* The same; made, with the value that is there now, if there is none. NULL: there are too many. */
struct history *words_begin(struct word *word, const void *address, unsigned bytes);

/* What lies there. */
uint64_t words_value(const void *address, unsigned bytes);
void words_set_value(void *address, unsigned bytes, uint64_t value);

/* A new message before `message[at]`, and where it is. */
struct message *history_insert(struct history *history, unsigned at);

#endif
