// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules broken on purpose, one at a time, so that tests can show that they notice (test/explorer, test/order,
 * test/life). The patches in this folder break them, in a copy of the library.
 */
#ifndef RANGEMAP_TEST_MUTATIONS_RULES_H
#define RANGEMAP_TEST_MUTATIONS_RULES_H

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
    RM_PREV_STAMPED,         /* a node points past others only when it has its stamp */
    RM_PREV_SAME_STAMP,      /* and only past those of the same */
    RM_PREV_SETTLED,         /* what a settled node points to is not looked into */
    RM_PREV_THEN_RETIRE,     /* a node is settled before what it replaced is retired */
    RM_INSERT_CHECKED,       /* an insert looks at the whole frozen region before it replaces it */
    RM_JOIN_CHECKED,         /* a join, likewise */
    RM_JOIN_LEAF_CHECKED,    /* or at the leaf that it replaces */
    RM_LOAD_CHECKED,         /* a load looks at the frozen tree, whether it is empty still */
    RM_REWRITE_CONFIRMED, /* a rewrite is refused only by a region that was in the tree when it was frozen */
    RM_REWRITE_KEEPS,     /* the values of what a rewrite keeps are not released with the old nodes */
    RM_REWRITE_OWNERS,    /* nor is that of a range of which a part remains */
    RM_WINDOW_CHECKED,    /* a condition is looked at where the window is replaced, not only before */
    RM_WINDOW_LOOKS_AROUND, /* who joins neighbours of the window replaces them, too */
    RM_HIT_CHECKED,         /* a range that ends below the key is no hit */
    RM_VERSION_CHECKED,     /* a snapshot passes nodes that are newer */
    RM_QUERY_SETTLED,       /* leaves settle a query only if they hold all of it */
    RM_QUERY_ANEW,          /* a query that a few leaves do not settle begins anew */
    RM_QUERY_TOGETHER,      /* they do only if they were in the tree together */
    RM_QUERY_FROZEN,        /* which a leaf in a frozen slot may not have been */
    RM_CURSOR_SKIPS,        /* a cursor passes ranges of a new leaf that lie behind it */
    RM_QUERY_SNAPSHOT,      /* a query over several leaves reads a snapshot */
    RM_GAP_CHECKED,         /* a gap that was found is taken only if it is still free */
    RM_GAP_SNAPSHOT,        /* that there is no gap is concluded from a snapshot only */
    RM_GAP_PREV,            /* a class bounds what is below the node beside it, not what was before */
    RM_GAP_GROWS,           /* a leaf's class remains where another gap is longer than the one that grew */
    RM_GAP_FILLED,          /* it is computed anew where its longest gap is filled */
    RM_G1_CARVE,            /* a carve that frees the first keys of a leaf rebuilds the one to its left */
    RM_G1_ERASE,            /* so does an erase */
    RM_G1_ERASE_AGAIN,      /* and looks again whether that is still so */
    RM_G1_ERASE_CHECKED,    /* which looks in the frozen region whether its range still begins there */
    RM_G1_RIGHT,            /* the right spine begins with a range */
    RM_G1_WIDE_CHECKED,     /* a rewrite whose route begins further to the left drops nothing there */
    RM_G2_LEAF,             /* slots are raised before a leaf is published */
    RM_G2_REGION,           /* and before a region is */
    RM_G3_TOP_DOWN,         /* the upper ones first */
    RM_G4_FROZEN,           /* a frozen slot that is too low is not passed */
    RM_G5_AFTER_FREEZE,     /* a new slot takes over the class that the old one had once it was frozen */
    RM_G6_COPIES,           /* a class falls with its node only */
    RM_SECTION,             /* operations are inside a section */
    RM_GRACE,               /* garbage waits for its grace period */
    RM_CLAIM,               /* one thread at a time works on a shard */
    RM_POLL_EPOCH,          /* a poll moves the epoch on from the one that it read before it looked */
    RM_POLL_SCAN,           /* a poll looks at the sections that are open */
    RM_LIGHT_COUNT,         /* who took light sections away does not end what was taken anew since */
    RM_POOL_EMPTIES,        /* who gives the last node of a slab back leaves none to be taken */
    RM_POOL_CLAIMS,         /* an idle slab is claimed by compare-and-swap */
    RM_POOL_SHOWS,          /* who seeks hidden slabs makes none idle that has an owner by now */
    RM_FENCE_SECTION,       /* a section that is not light begins with a full fence */
    RM_FENCE_AGAIN,         /* a light section looks again whether it is, and passes one if not */
    RM_FENCE_EARNED,        /* a thread that becomes light passes one */
    RM_FENCE_HEAVY,         /* a poll that takes light sections away passes the heavy fence before it looks */
    RM_FENCE_OWED,          /* who was refused it does not look */
    /* For lives of processes (test/life). */
    RM_LIFE_GONE,    /* records of threads that are gone are found */
    RM_LIFE_ENDED,   /* and their sections ended */
    RM_LIFE_PARKED,  /* parked records are used again */
    RM_LIFE_TENDED,  /* shards that nobody looks after are visited by others */
    RM_LIFE_BUDGET,  /* an update ends a bounded number of things */
    RM_LIFE_ASKED,   /* callbacks wait until they are asked for */
    RM_LIFE_CANCEL,  /* a thread is not cancelled while it calls back */
    RM_LIFE_ERRNO,   /* errno is left alone */
    RM_LIFE_UNLOAD,  /* a plugin that is closed leaves nothing mapped */
    RM_LIFE_FREED,   /* records of domains that are gone are used again */
    RM_LIFE_FLUSHED, /* a record without a thread keeps no free nodes */
    RM_LIFE_LOAD,    /* a load for which there is no memory frees what it built */
    RM_LIFE_CHILD,   /* the child of a fork ends what threads that it does not have were in the middle of */
    RM_LIFE_SIGNALS, /* no handler comes while the tree of a thread's records changes */
    RM_LIFE_COPY,    /* a child that shares its parent's memory changes nothing */
};

/* The program's: the rule that is broken now. */
extern enum rm_rule rm_broken_rule;

static inline bool rm_broken(enum rm_rule rule)
{
    return rm_broken_rule == rule;
}

#endif
