// SPDX-License-Identifier: BSD-2-Clause
/*
 * The weak memory itself (views.h), on the shapes that papers about memory models use: what C11 allows is reached, what
 * it forbids is not. Every interleaving and every choice of the machine is run.
 */
#include "test/explorer/shape.h"
#include "test/shim/ctest.h"

#define ALLOWED(shape, outcome) CHECK(shape_run(shape, outcome).reached)
#define FORBIDDEN(shape, outcome) CHECK(!shape_run(shape, outcome).reached)

/* Message passing. The reader sees y, and not x. */
#define MP(store, load) SHAPE({STORE(X, 1, RLX), STORE(Y, 1, store)}, {LOAD(A, Y, load), LOAD(B, X, RLX)})
#define MP_FENCED(store, load)                                                                               \
    SHAPE({STORE(X, 1, RLX), FENCE(store), STORE(Y, 1, RLX)}, {LOAD(A, Y, RLX), FENCE(load), LOAD(B, X, RLX)})

TEST_CASE(views, message_passing)
{
    const struct outcome *stale = READ_AS(1, 0, ANY, ANY);

    ALLOWED(MP(RLX, RLX), stale);
    ALLOWED(MP(REL, RLX), stale);
    ALLOWED(MP(RLX, ACQ), stale);
    FORBIDDEN(MP(REL, ACQ), stale);
    FORBIDDEN(MP(SC, SC), stale);
    ALLOWED(MP_FENCED(ACQ, ACQ), stale);
    ALLOWED(MP_FENCED(REL, REL), stale);
    FORBIDDEN(MP_FENCED(REL, ACQ), stale);
    FORBIDDEN(MP_FENCED(SC, SC), stale);
    FORBIDDEN(MP_FENCED(ACQ_REL, ACQ_REL), stale);
}

/* y is reached through the address that was read in x, z is not. */
TEST_CASE(views, dependencies)
{
    /* An acquire load through the address comes between: what follows is behind both. */
    FORBIDDEN(
        SHAPE({STORE(Z, 1, RLX), STORE(X, 1, REL)}, {LOAD(A, X, CNS), LOAD(C, Y, ACQ), LOAD(B, Z, RLX)}),
        READ_AS(1, 0, ANY, ANY));
    ALLOWED(SHAPE({STORE(Z, 1, RLX), STORE(X, 1, REL)}, {LOAD(A, X, CNS), LOAD(C, Y, RLX), LOAD(B, Z, RLX)}),
            READ_AS(1, 0, ANY, ANY));
    FORBIDDEN(SHAPE({STORE(Y, 1, RLX), STORE(X, 1, REL)}, {LOAD(A, X, CNS), LOAD(B, Y, RLX)}),
              READ_AS(1, 0, ANY, ANY));
    ALLOWED(SHAPE({STORE(Z, 1, RLX), STORE(X, 1, REL)}, {LOAD(A, X, CNS), LOAD(B, Z, RLX)}),
            READ_AS(1, 0, ANY, ANY));
    ALLOWED(SHAPE({STORE(Y, 1, RLX), STORE(X, 1, RLX)}, {LOAD(A, X, CNS), LOAD(B, Y, RLX)}),
            READ_AS(1, 0, ANY, ANY));
}

/* Store buffering: neither sees the other. */
#define SB(store, load) SHAPE({STORE(X, 1, store), LOAD(A, Y, load)}, {STORE(Y, 1, store), LOAD(B, X, load)})
#define SB_FENCED(one, other)                                                                                \
    SHAPE({STORE(X, 1, RLX), FENCE(one), LOAD(A, Y, RLX)}, {STORE(Y, 1, RLX), FENCE(other), LOAD(B, X, RLX)})

TEST_CASE(views, store_buffering)
{
    const struct outcome *neither = READ_AS(0, 0, ANY, ANY);

    ALLOWED(SB(RLX, RLX), neither);
    ALLOWED(SB(REL, ACQ), neither);
    ALLOWED(SB(SC, ACQ), neither);
    ALLOWED(SB(REL, SC), neither);
    FORBIDDEN(SB(SC, SC), neither);
    ALLOWED(SB_FENCED(ACQ_REL, SC), neither);
    FORBIDDEN(SB_FENCED(SC, SC), neither);
    /* A fence on one side, an ordered read-modify-write and load on the other. */
    FORBIDDEN(SHAPE({ADD(C, X, SC), LOAD(A, Y, SC)}, {ADD(D, Y, SC), FENCE(SC), LOAD(B, X, RLX)}), neither);
    ALLOWED(SHAPE({ADD(C, X, SC), LOAD(A, Y, ACQ)}, {ADD(D, Y, SC), FENCE(SC), LOAD(B, X, RLX)}), neither);
    ALLOWED(SHAPE({ADD(C, X, ACQ_REL), LOAD(A, Y, SC)}, {ADD(D, Y, SC), FENCE(SC), LOAD(B, X, RLX)}),
            neither);
}

/*
 * A thread that has seen x, and then looks at y with an ordered load, against one that changes y, passes a fence and
 * misses x: the load may overtake the one before it, unless that acquires.
 */
#define HELPER(order)                                                                                        \
    SHAPE({ADD(C, X, SC)}, {LOAD(A, X, order), LOAD(B, Y, SC)}, {ADD(C, Y, SC), FENCE(SC), LOAD(D, X, RLX)})

TEST_CASE(views, ordered_load_behind_another)
{
    const struct outcome *both_missed = READ_AS(1, 0, ANY, 0);

    ALLOWED(HELPER(RLX), both_missed);
    FORBIDDEN(HELPER(ACQ), both_missed);
    FORBIDDEN(HELPER(SC), both_missed);
}

/*
 * A thread that changes x, passes a fence and finds the epoch y as it was, against one that has seen y moved, and looks
 * at x with no more than acquire: it sees the change. So on arm64 and x86, where all see a store at once; C11 allows
 * the other outcome, unless the reader passes a full fence.
 */
#define EPOCH_MOVES(order, fence)                                                                            \
    SHAPE({ADD(C, Y, order)}, {LOAD(A, Y, ACQ), LOAD(B, X, RLX)},                                            \
          {STORE(X, 1, RLX), FENCE(fence), LOAD(D, Y, RLX)})

TEST_CASE(views, a_moved_epoch_is_behind_fences)
{
    const struct outcome *missed = READ_AS(1, 0, ANY, 0);

    FORBIDDEN(EPOCH_MOVES(SC, SC), missed);
    ALLOWED(EPOCH_MOVES(SC, ACQ_REL), missed);
    ALLOWED(EPOCH_MOVES(ACQ_REL, SC), missed);
}

/* membarrier(2) on one side, nothing on the other. */
TEST_CASE(views, asymmetric_fence)
{
    FORBIDDEN(SHAPE({STORE(X, 1, RLX), LOAD(A, Y, RLX)}, {STORE(Y, 1, RLX), BARRIER(), LOAD(B, X, RLX)}),
              READ_AS(0, 0, ANY, ANY));
    ALLOWED(SHAPE({STORE(X, 1, RLX), LOAD(A, Y, RLX)}, {STORE(Y, 1, RLX), LOAD(B, X, RLX), BARRIER()}),
            READ_AS(0, 0, ANY, ANY));
    /* Two threads that it interrupts know nothing of each other. */
    ALLOWED(SHAPE({STORE(X, 1, RLX), LOAD(A, Y, RLX)}, {STORE(Y, 1, RLX), LOAD(B, X, RLX)}, {BARRIER()}),
            READ_AS(0, 0, ANY, ANY));
}

/* Load buffering would take loads of what is stored later: the machine has none, whatever the order. */
TEST_CASE(views, load_buffering_is_left_out)
{
    FORBIDDEN(SHAPE({LOAD(A, X, RLX), STORE(Y, 1, RLX)}, {LOAD(B, Y, RLX), STORE(X, 1, RLX)}),
              READ_AS(1, 1, ANY, ANY));
}

/* Independent reads of independent writes: two readers disagree on which came first. */
#define IRIW(store, load)                                                                                    \
    SHAPE({STORE(X, 1, store)}, {STORE(Y, 1, store)}, {LOAD(A, X, load), LOAD(B, Y, load)},                  \
          {LOAD(C, Y, load), LOAD(D, X, load)})
#define IRIW_FENCED(order)                                                                                   \
    SHAPE({STORE(X, 1, RLX)}, {STORE(Y, 1, RLX)}, {LOAD(A, X, RLX), FENCE(order), LOAD(B, Y, RLX)},          \
          {LOAD(C, Y, RLX), FENCE(order), LOAD(D, X, RLX)})

TEST_CASE(views, independent_reads)
{
    const struct outcome *disagree = READ_AS(1, 0, 1, 0);

    ALLOWED(IRIW(RLX, RLX), disagree);
    ALLOWED(IRIW(REL, ACQ), disagree);
    ALLOWED(IRIW(SC, ACQ), disagree);
    FORBIDDEN(IRIW(SC, SC), disagree);
    ALLOWED(IRIW_FENCED(ACQ_REL), disagree);
    FORBIDDEN(IRIW_FENCED(SC), disagree);
}

/* Write to read causality: what was passed on is seen by the last one, too. */
#define WRC(store, load)                                                                                     \
    SHAPE({STORE(X, 1, store)}, {LOAD(A, X, load), STORE(Y, 1, store)}, {LOAD(B, Y, load), LOAD(C, X, RLX)})

TEST_CASE(views, causality)
{
    const struct outcome *lost = READ_AS(1, 1, 0, ANY);

    ALLOWED(WRC(RLX, RLX), lost);
    ALLOWED(WRC(RLX, ACQ), lost);
    ALLOWED(WRC(REL, RLX), lost);
    FORBIDDEN(WRC(REL, ACQ), lost);
    /* Of a word that is read relaxed, a release tells by coherence alone. */
    FORBIDDEN(
        SHAPE({STORE(X, 1, RLX)}, {LOAD(A, X, RLX), STORE(Y, 1, REL)}, {LOAD(B, Y, ACQ), LOAD(C, X, RLX)}),
        lost);
}

/* Two writes each, in opposite orders: both first ones come last. */
#define TWO_WRITES(order)                                                                                    \
    SHAPE({STORE(X, 1, order), STORE(Y, 2, order)}, {STORE(Y, 1, order), STORE(X, 2, order)})
#define TWO_WRITES_FENCED(order)                                                                             \
    SHAPE({STORE(X, 1, RLX), FENCE(order), STORE(Y, 2, RLX)},                                                \
          {STORE(Y, 1, RLX), FENCE(order), STORE(X, 2, RLX)})

TEST_CASE(views, two_writes)
{
    const struct outcome *firsts = ENDS_AS(1, 1);

    ALLOWED(TWO_WRITES(RLX), firsts);
    ALLOWED(TWO_WRITES(REL), firsts);
    FORBIDDEN(TWO_WRITES(SC), firsts);
    ALLOWED(TWO_WRITES_FENCED(ACQ_REL), firsts);
    FORBIDDEN(TWO_WRITES_FENCED(SC), firsts);
}

/* One word alone is the same for all. */
TEST_CASE(views, coherence)
{
    FORBIDDEN(SHAPE({STORE(X, 1, RLX)}, {LOAD(A, X, RLX), LOAD(B, X, RLX)}), READ_AS(1, 0, ANY, ANY));
    FORBIDDEN(SHAPE({STORE(X, 1, RLX), STORE(X, 2, RLX)}, {LOAD(A, X, RLX), LOAD(B, X, RLX)}),
              READ_AS(2, 1, ANY, ANY));
    FORBIDDEN(SHAPE({STORE(X, 1, RLX), LOAD(A, X, RLX)}), READ_AS(0, ANY, ANY, ANY));
    FORBIDDEN(SHAPE({STORE(X, 1, RLX)}, {STORE(X, 2, RLX)}, {LOAD(A, X, RLX), LOAD(B, X, RLX)},
                    {LOAD(C, X, RLX), LOAD(D, X, RLX)}),
              READ_AS(1, 2, 2, 1));
    ALLOWED(SHAPE({STORE(X, 1, RLX)}, {STORE(X, 2, RLX)}, {LOAD(A, X, RLX), LOAD(B, X, RLX)},
                  {LOAD(C, X, RLX), LOAD(D, X, RLX)}),
            READ_AS(1, 2, 1, 2));
    /* The own load, then the own store. */
    FORBIDDEN(SHAPE({STORE(X, 1, RLX)}, {LOAD(A, X, RLX), STORE(X, 2, RLX)}), BOTH(1, 1));
    ALLOWED(SHAPE({STORE(X, 1, RLX)}, {LOAD(A, X, RLX), STORE(X, 2, RLX)}), BOTH(0, 1));
}

TEST_CASE(views, read_modify_writes)
{
    /* Each reads what the one before made. */
    FORBIDDEN(SHAPE({ADD(A, X, RLX)}, {ADD(B, X, RLX)}), READ_AS(0, 0, ANY, ANY));
    FORBIDDEN(SHAPE({TAKE(A, X, 1, RLX)}, {TAKE(B, X, 2, RLX)}), READ_AS(0, 0, ANY, ANY));
    FORBIDDEN(SHAPE({TAKE(A, X, 1, RLX)}, {TAKE(B, X, 2, RLX)}), READ_AS(2, 1, ANY, ANY));
    /* A store may come in before one, not between it and what it read. */
    ALLOWED(SHAPE({ADD(A, X, RLX)}, {STORE(X, 5, RLX)}), ENDS_AS(6, ANY));
    ALLOWED(SHAPE({ADD(A, X, RLX)}, {STORE(X, 5, RLX)}), ENDS_AS(5, ANY));
    FORBIDDEN(SHAPE({ADD(A, X, RLX)}, {STORE(X, 5, RLX)}), BOTH(0, 1));
    /* A relaxed one goes on with the release sequence; a relaxed store ends it. */
    FORBIDDEN(
        SHAPE({STORE(X, 1, RLX), STORE(Y, 1, REL)}, {ADD(C, Y, RLX)}, {LOAD(A, Y, ACQ), LOAD(B, X, RLX)}),
        READ_AS(2, 0, ANY, ANY));
    ALLOWED(SHAPE({STORE(X, 1, RLX), STORE(Y, 1, REL), STORE(Y, 2, RLX)}, {LOAD(A, Y, ACQ), LOAD(B, X, RLX)}),
            READ_AS(2, 0, ANY, ANY));
    /* A compare-and-swap that fails is a load. */
    ALLOWED(SHAPE({STORE(X, 1, RLX), STORE(Y, 1, REL)}, {TAKE(A, Y, 7, RLX), LOAD(B, X, RLX)}),
            READ_AS(1, 0, ANY, ANY));
    FORBIDDEN(SHAPE({STORE(X, 1, RLX), STORE(Y, 1, REL)}, {TAKE(A, Y, 7, SC), LOAD(B, X, RLX)}),
              READ_AS(1, 0, ANY, ANY));
}

/* What fences order is seen, but did not happen before: plain accesses race all the same. */
static bool races(const struct shape *shape)
{
    return shape_run(shape, READ_AS(ANY, ANY, ANY, ANY)).raced;
}

TEST_CASE(views, races)
{
    CHECK(races(SHAPE({WRITE(X, 1)}, {READ(A, X)})));
    CHECK(races(SHAPE({WRITE(X, 1)}, {WRITE(X, 2)})));
    CHECK(!races(SHAPE({READ(A, X)}, {READ(B, X)})));
    CHECK(races(SHAPE({WRITE(X, 1)}, {LOAD(A, X, SC)})));
    CHECK(races(SHAPE({READ(A, X)}, {STORE(X, 1, SC)})));
    CHECK(!races(SHAPE({READ(A, X)}, {LOAD(B, X, RLX)})));
    CHECK(!races(SHAPE({STORE(X, 1, RLX)}, {LOAD(B, X, RLX)})));
    CHECK(!races(SHAPE({READ(A, X)}, {TAKE(B, Y, 1, RLX)})));
    CHECK(races(SHAPE({WRITE(X, 1), STORE(Y, 1, REL)}, {LOAD(A, Y, RLX), READ(B, X)})));
}

/* Only a thread that has read y as 1 goes on to x: a race in such a run would be one of the shape. */
static bool races_when_seen(const struct shape *shape)
{
    return shape_run(shape, READ_AS(1, ANY, ANY, ANY)).both;
}

TEST_CASE(views, races_behind_a_message)
{
    CHECK(races_when_seen(SHAPE({WRITE(X, 1), STORE(Y, 1, RLX)}, {LOAD(A, Y, ACQ), READ(B, X)})));
    CHECK(races_when_seen(SHAPE({WRITE(X, 1), STORE(Y, 1, REL)}, {LOAD(A, Y, RLX), READ(B, X)})));
    CHECK(!races_when_seen(SHAPE({WRITE(X, 1), STORE(Y, 1, REL)}, {LOAD(A, Y, ACQ), READ(B, X)})));
    CHECK(!races_when_seen(
        SHAPE({WRITE(X, 1), FENCE(REL), STORE(Y, 1, RLX)}, {LOAD(A, Y, RLX), FENCE(ACQ), READ(B, X)})));
    CHECK(!races_when_seen(SHAPE({READ(B, X), STORE(Y, 1, REL)}, {LOAD(A, Y, ACQ), WRITE(X, 1)})));
    CHECK(races_when_seen(SHAPE({READ(B, X), STORE(Y, 1, RLX)}, {LOAD(A, Y, ACQ), WRITE(X, 1)})));
    /* Fences alone. */
    CHECK(races(SHAPE({WRITE(X, 1), FENCE(SC)}, {FENCE(SC), READ(A, X)})));
}
