// SPDX-License-Identifier: BSD-2-Clause
/* One call of the library, what it was given and what it answered, for histories that are checked later. */
#ifndef RANGEMAP_TEST_HISTORY_OPERATION_H
#define RANGEMAP_TEST_HISTORY_OPERATION_H

#include <stdbool.h>
#include <stdio.h>

#include "rangemap/rangemap.h"

enum operation_kind {
    DO_NOTHING,
    /* Reads. */
    DO_LOOKUP,       /* start: the key */
    DO_FIND,         /* start */
    DO_BATCH,        /* start and last: two keys */
    DO_NEXT,         /* start */
    DO_PREVIOUS,     /* start */
    DO_FIRST,        /* */
    DO_LAST,         /* */
    DO_OVERLAP,      /* start, last */
    DO_OVERLAP_LAST, /* start, last */
    DO_GAP_AT,       /* start; answers with the gap's bounds as an entry */
    DO_GAP_NEXT,     /* start; likewise */
    DO_IS_COVERED,   /* start, last */
    DO_IS_FREE,      /* start, last */
    DO_SNAPSHOT,     /* start, last: all ranges there, through a cursor over a snapshot */
    DO_SNAPSHOT_AT,  /* start and last: two keys looked up in one snapshot */
    DO_CURSOR,       /* start, last: the ranges that a cursor meets */
    DO_GAP_FIND,     /* start, last: the window; number: length */
    /* Updates. */
    DO_INSERT,      /* start, last, value */
    DO_STORE,       /* start, last, value */
    DO_CARVE,       /* start, last */
    DO_ERASE,       /* start */
    DO_ERASE_EXACT, /* start, last */
    DO_REPLACE,     /* start, last, expected, value */
    DO_ERASE_VALUE, /* start, last, expected */
    DO_SPLICE, /* start, last; number ranges as of DO_LOAD, or touching ones; expected: enum operation_how */
    DO_UPDATE, /* start, last; number: enum operation_change; value; expected: enum operation_how */
    DO_CARVE_VALUE,  /* start, last, expected */
    DO_EVICT,        /* start, last */
    DO_RESIZE,       /* start, last; from value to number: the new bounds */
    DO_COALESCE,     /* start, last; answers how many ranges disappeared */
    DO_LOAD,         /* number ranges [start + 4 i, start + 4 i + 1] = value + i */
    DO_GAP_ALLOCATE, /* start, last: the window; number: length; value */
    /* Nothing that the map shows. */
    DO_POLL,
    DO_TRIM,
    DO_RESERVE,     /* number: of updates */
    DO_IS_RECLAIMED /* the explorer's: whether a barrier would be over now */
};

/* Options of DO_SPLICE and DO_UPDATE, in `expected`. */
enum operation_how {
    HOW_IF_FREE = 1,
    HOW_JOIN = 2,
    HOW_WHOLE = 4,
    HOW_GAPS = 8,
    HOW_TOUCHING = 16, /* DO_SPLICE: ranges of two keys without gaps between them */
    HOW_IF_SAME = 32,  /* the window is as DO_LOAD with `expected` / HOW_VALUES would fill it */
    HOW_VALUES = 64
};

/* What DO_UPDATE does to a part. */
enum operation_change {
    CHANGE_SET_ALL, /* `value` + start of the part, modulo 8 */
    CHANGE_SET_ODD, /* the same, if the part's value is odd */
    CHANGE_DROP_ODD,
    CHANGE_REFUSE_ODD /* -ECANCELED if there is one, else SET_ALL */
};

enum { OPERATION_ENTRIES = 48 };

struct operation {
    enum operation_kind kind;
    uint64_t start, last;
    uint64_t value;
    uint64_t expected;
    uint64_t number;
    bool downwards; /* cursors and gaps */
    bool is_open;   /* it took effect, but never returned: its answer is not known, but for `answer` */
    /* The answer. */
    int result;
    uint64_t answer;  /* a value, a key, a number or a set of hits */
    unsigned entries; /* of entry[]; also what a store or carve displaced */
    struct rangemap_entry entry[OPERATION_ENTRIES];
    /* When, by a clock that all threads share: it took effect between the two, both included. */
    uint64_t begin, end;
    /*
     * In weak memory (test/explorer) who called it, and of each thread the last end that this operation knows of: what
     * ended later did not come before it. NULL: all that ended before it began came before it.
     */
    unsigned thread;
    const uint64_t *known;
};

/* The ranges of DO_SPLICE; their number. */
unsigned operation_row(const struct operation *operation, struct rangemap_entry *entry);

/* What HOW_IF_SAME expects. */
unsigned operation_expected(const struct operation *operation, struct rangemap_entry *entry);

/* What DO_UPDATE says: the function of rangemap_update(), without the record in `answer`. */
int operation_change(const struct operation *operation, const struct rangemap_entry *part, void **value);

/* Calls the library and fills in the answer. */
void operation_run(struct rangemap *map, struct operation *operation);

void operation_print(FILE *out, const struct operation *operation);

/* The split callback of histories in which values move with the start of their range. */
void *operation_split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context);

static inline void *operation_value(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

static inline bool operation_is_update(const struct operation *operation)
{
    return operation->kind >= DO_INSERT && operation->kind <= DO_GAP_ALLOCATE;
}

#endif
