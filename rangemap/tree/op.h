// SPDX-License-Identifier: BSD-2-Clause
/* An update as the tree sees it: a range to route by, and what to do with the ranges found there. */
#ifndef RANGEMAP_TREE_OP_H
#define RANGEMAP_TREE_OP_H

#include "rangemap/tree/tree.h"

enum rm_kind {
    RM_INSERT,      /* [start, last] = value if free */
    RM_STORE,       /* [start, last] = value */
    RM_CARVE,       /* [start, last] free */
    RM_JOIN,        /* the touching, equal ranges that make up [start, last] become one */
    RM_ERASE,       /* the range that holds `start` */
    RM_ERASE_EXACT, /* the range [start, end] */
    RM_REPLACE,     /* its value, if `expected` */
    RM_ERASE_VALUE  /* the range [start, end], if its value is `expected` */
};

struct rm_op {
    enum rm_kind kind;
    uint64_t start, last; /* decide the route; the last four kinds have start == last */
    uint64_t end;         /* RM_ERASE_EXACT and below: the range's last key */
    void *value;
    union {
        void *expected;  /* of the last two kinds */
        uint64_t joined; /* RM_JOIN, out: how many ranges disappear */
    };
    rangemap_equal_fn *equal; /* RM_JOIN; NULL: same word */
    void *equal_context;
    rangemap_displaced_fn *displaced; /* or NULL */
    void *displaced_context;
    struct rangemap_entry found; /* out: the range in the way, erased, or with another value */
};

/* How an update, or an attempt at it, ended. */
enum rm_outcome {
    RM_DONE,
    RM_NOTHING,  /* nothing there to change */
    RM_CONFLICT, /* RM_INSERT: op->found is in the way */
    RM_STALE,    /* with `expected`: op->found has another value; RM_JOIN: no longer a run of equals */
    RM_REFUSED,  /* a rewrite: its composer's state says why */
    RM_NO_ROOM,  /* a rewrite: more than fits the place chosen for it */
    RM_WIDEN,    /* a rewrite: it frees the first keys of the leaf where it begins (G1) */
    RM_NO_MEMORY,
    RM_LONG_WAY, /* the short way does not serve (tree/short.h) */
    RM_TOO_LOW,  /* a frozen slot further up has too low a class (G4) */
    RM_RETRY
};

static inline bool rm_op_is_spanning(const struct rm_op *op)
{
    return op->kind <= RM_JOIN;
}

static inline bool rm_op_erases(const struct rm_op *op)
{
    return op->kind == RM_ERASE || op->kind == RM_ERASE_EXACT || op->kind == RM_ERASE_VALUE;
}

/* Keys that were held may be free afterwards. */
static inline bool rm_op_frees(const struct rm_op *op)
{
    return rm_op_erases(op) || op->kind == RM_CARVE;
}

static inline bool rm_op_adds_range(const struct rm_op *op)
{
    return op->kind == RM_INSERT || op->kind == RM_STORE || op->kind == RM_JOIN;
}

#endif
