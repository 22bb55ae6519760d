// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules broken on purpose, one at a time, so that tests can show that they notice (test/explorer, test/order). In
 * every other build rm_broken() is the constant false, and what depends on it is gone.
 */
#ifndef RANGEMAP_BASE_MUTATION_H
#define RANGEMAP_BASE_MUTATION_H

#include <stdbool.h>

/* What is kept otherwise; R1 to R7 are explained in docs/design.md. */
enum rm_rule {
    RM_NO_RULE,
    RM_R1_FOLD,              /* a compare-and-swap completes the update of the thread that made it */
    RM_R1_WAITS_NOT,         /* what somebody has frozen is not waited for */
    RM_R2_FREEZE,            /* slots of a region are frozen */
    RM_R2_FREEZE_BELOW,      /* also below the anchor's node */
    RM_R2_TOP_DOWN,          /* parents before children */
    RM_R2_FROZEN_SLOT,       /* a frozen slot is not changed */
    RM_R3_SPAN,              /* a node whose span shrinks is rebuilt */
    RM_R4_NEW_NODE,          /* no node is published twice: every empty leaf is a new one */
    RM_R5_NOTHING,           /* "nothing there" is read from a snapshot */
    RM_R6_LOSER_RETIRES_NOT, /* only the winner retires what was replaced */
    RM_R6_LOSER_FREES_OWN,   /* a loser frees only what it built */
    RM_R6_LOSER_DISCARDS,    /* and does free that */
    RM_R6_WINNER_RETIRES,    /* the winner does retire */
    RM_R7_WRITER_STAMPS,     /* a writer stamps the node that it published */
    RM_R7_LOOKUP_STAMPS,     /* a lookup stamps the nodes it follows */
    RM_R7_BATCH_STAMPS,      /* so does a lookup of several keys */
    RM_R7_WALK_STAMPS,       /* and a query */
    RM_R7_UPDATE_STAMPS,     /* and an update on its way down */
    RM_R7_FREEZE_STAMPS,     /* and for the children of a frozen node */
    RM_R7_STAMP_LATE,        /* a stamp is read from the clock after the compare-and-swap */
    RM_R7_STAMP_THEN_RETIRE, /* the new node is stamped before the old one is retired */
    RM_R7_CLOCK_MOVES,       /* a snapshot moves the clock on */
    RM_INSERT_CHECKED,       /* an insert looks at the whole frozen region before it replaces it */
    RM_JOIN_CHECKED,         /* a join, likewise */
    RM_JOIN_LEAF_CHECKED,    /* or at the leaf that it replaces */
    RM_LOAD_CHECKED,         /* a load looks at the frozen tree, whether it is empty still */
    RM_HIT_CHECKED,          /* a range that ends below the key is no hit */
    RM_VERSION_CHECKED,      /* a snapshot passes nodes that are newer */
    RM_QUERY_SETTLED,        /* one leaf settles a query only if it holds all of it */
    RM_QUERY_ANEW,           /* a query that one leaf does not settle begins anew */
    RM_CURSOR_SKIPS,         /* a cursor passes ranges of a new leaf that lie behind it */
    RM_QUERY_SNAPSHOT,       /* a query over several leaves reads a snapshot */
    RM_GAP_CHECKED,          /* a gap that was found is taken only if it is still free */
    RM_SECTION,              /* operations are inside a section */
    RM_GRACE,                /* garbage waits for its grace period */
    RM_CLAIM,                /* one thread at a time works on a shard */
    RM_POLL_CLAIM,           /* one thread at a time polls */
    RM_FENCE_SECTION,        /* a section that is not light begins with a full fence */
    RM_FENCE_AGAIN,          /* a light section looks again whether it is, and passes one if not */
    RM_FENCE_EARNED,         /* a thread that becomes light passes one */
    RM_FENCE_HEAVY,          /* who takes light sections away passes the heavy fence before he looks */
    RM_FENCE_OWED,           /* who was refused it does not look */
    RM_RULES
};

#if defined(RANGEMAP_EXPLORER) || defined(RANGEMAP_WEAKEN)
extern enum rm_rule rm_broken_rule;

static inline bool rm_broken(enum rm_rule rule)
{
    return rm_broken_rule == rule;
}
#else
static inline bool rm_broken(enum rm_rule rule)
{
    (void)rule;
    return false;
}
#endif

#endif
