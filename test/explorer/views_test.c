// SPDX-License-Identifier: BSD-2-Clause
/*
 * The weak memory itself (views.h), on the shapes that papers about memory models use: what C11 allows is reached, what
 * it forbids is not. Every interleaving and every choice of the machine is run.
 */
#include <stdio.h>
#include <string.h>

#include "test/explorer/views.h"
#include "test/shim/ctest.h"

enum { THREADS = 4, STEPS = 8, WORDS = 3, REGISTERS = 4, CHOICES = 64 };

enum does { ENDS, LOADS, STORES, ADDS, TAKES, FENCES, BARS, READS, WRITES };

/* x, y or z; what is stored; where a load puts what it read: a to d. */
struct step {
    enum does does;
    unsigned word;
    uint64_t value;
    unsigned target;
    int order;
};

struct shape {
    struct step thread[THREADS][STEPS];
};

#define RLX __ATOMIC_RELAXED
#define CNS __ATOMIC_CONSUME
#define ACQ __ATOMIC_ACQUIRE
#define REL __ATOMIC_RELEASE
#define ACQ_REL __ATOMIC_ACQ_REL
#define SC __ATOMIC_SEQ_CST

enum { X, Y, Z };
enum { A, B, C, D };

#define LOAD(target, word, order)                                                                            \
    {                                                                                                        \
        LOADS, word, 0, target, order                                                                        \
    }
#define STORE(word, value, order)                                                                            \
    {                                                                                                        \
        STORES, word, value, 0, order                                                                        \
    }
#define ADD(target, word, order)                                                                             \
    {                                                                                                        \
        ADDS, word, 1, target, order                                                                         \
    }
/* Compare-and-swap of 0 by the value; the target says what was read. */
#define TAKE(target, word, value, order)                                                                     \
    {                                                                                                        \
        TAKES, word, value, target, order                                                                    \
    }
#define FENCE(order)                                                                                         \
    {                                                                                                        \
        FENCES, 0, 0, 0, order                                                                               \
    }
#define BARRIER()                                                                                            \
    {                                                                                                        \
        BARS, 0, 0, 0, 0                                                                                     \
    }
#define READ(target, word)                                                                                   \
    {                                                                                                        \
        READS, word, 0, target, 0                                                                            \
    }
#define WRITE(word, value)                                                                                   \
    {                                                                                                        \
        WRITES, word, value, 0, 0                                                                            \
    }

/* ---- the machine's choices, one after the other ---- */

static struct {
    unsigned made, given;
    unsigned choice[CHOICES], options[CHOICES];
} choices;

static unsigned choose(unsigned options)
{
    unsigned i = choices.made++;

    REQUIRE_LT(i, (unsigned)CHOICES);
    if (i >= choices.given) {
        choices.choice[i] = 0;
    }
    choices.options[i] = options;
    return choices.choice[i];
}

/* False: those were all. */
static bool choose_next(void)
{
    unsigned i = choices.made;

    while (i > 0 && choices.choice[i - 1] + 1 == choices.options[i - 1]) {
        i--;
    }
    if (i > 0) {
        choices.choice[i - 1]++;
    }
    choices.given = i;
    return i > 0;
}

/* ---- a run ---- */

static uint64_t words[WORDS], registers[REGISTERS];

static bool is_followed(const void *address)
{
    return address == &words[Y];
}

/* The caller's, then interrupts of the others: others may run in between. */
static struct {
    struct view begin;
    unsigned next;
} bars[THREADS];

static bool bar(unsigned thread)
{
    if (bars[thread].next == 0) {
        bars[thread].begin = views_barrier_begin(thread);
    } else if (bars[thread].next - 1 != thread) {
        views_barrier_interrupt(thread, &bars[thread].begin, bars[thread].next - 1);
    }
    return bars[thread].next++ == THREADS;
}

/* Whether it is done. */
static bool do_step(unsigned thread, const struct step *step)
{
    uint64_t *word = &words[step->word], expected = 0;

    switch (step->does) {
    case LOADS:
        registers[step->target] = views_load(thread, word, 8, step->order);
        break;
    case STORES:
        views_store(thread, word, 8, step->value, step->order);
        break;
    case ADDS:
        registers[step->target] = views_update(thread, word, 8, VIEWS_ADD, step->value, step->order);
        break;
    case TAKES:
        (void)views_exchange(thread, word, 8, &expected, step->value, step->order, step->order);
        registers[step->target] = expected;
        break;
    case FENCES:
        views_fence(thread, step->order);
        break;
    case BARS:
        return bar(thread);
    case READS:
        views_read(thread, word, 8);
        registers[step->target] = *word;
        break;
    case WRITES:
        views_write(thread, word, 8);
        *word = step->value;
        break;
    case ENDS:
        break;
    }
    return true;
}

static void run_once(const struct shape *shape)
{
    unsigned at[THREADS] = {0}, runnable, thread;

    memset(words, 0, sizeof words);
    memset(registers, 0, sizeof registers);
    memset(bars, 0, sizeof bars);
    choices.made = 0;
    views_reset(&(struct views_world){choose, is_followed});
    for (;;) {
        runnable = 0;
        for (thread = 0; thread < THREADS; thread++) {
            runnable |= (unsigned)(shape->thread[thread][at[thread]].does != ENDS) << thread;
        }
        if (runnable == 0) {
            return;
        }
        for (unsigned skip = runnable & (runnable - 1) ? choose((unsigned)__builtin_popcount(runnable)) : 0;
             skip > 0; skip--) {
            runnable &= runnable - 1;
        }
        thread = (unsigned)__builtin_ctz(runnable);
        at[thread] += do_step(thread, &shape->thread[thread][at[thread]]);
    }
}

/* ---- outcomes ---- */

/* What the registers or, of lower case, the words must be: ANY will do. */
#define ANY UINT64_MAX

struct outcome {
    uint64_t reads[REGISTERS], words[WORDS];
};

static bool is_outcome(const struct outcome *outcome)
{
    bool is = true;

    for (unsigned i = 0; i < REGISTERS; i++) {
        is &= outcome->reads[i] == ANY || outcome->reads[i] == registers[i];
    }
    for (unsigned i = 0; i < WORDS; i++) {
        is &= outcome->words[i] == ANY || outcome->words[i] == words[i];
    }
    return is;
}

struct result {
    bool reached, raced;
    unsigned runs;
};

static struct result run_all(const struct shape *shape, const struct outcome *outcome)
{
    struct result result = {false, false, 0};

    choices.given = 0;
    do {
        run_once(shape);
        result.runs++;
        result.reached |= is_outcome(outcome);
        result.raced |= views_fault() != NULL;
    } while (choose_next());
    return result;
}

#define READ_AS(a, b, c, d) (&(struct outcome){{a, b, c, d}, {ANY, ANY, ANY}})
#define ENDS_AS(x, y) (&(struct outcome){{ANY, ANY, ANY, ANY}, {x, y, ANY}})

#define BOTH(a, x) (&(struct outcome){{a, ANY, ANY, ANY}, {x, ANY, ANY}})

#define SHAPE(...) (&(struct shape){{__VA_ARGS__}})

#define ALLOWED(shape, outcome) CHECK(run_all(shape, outcome).reached)
#define FORBIDDEN(shape, outcome) CHECK(!run_all(shape, outcome).reached)

/* ---- shapes ---- */

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
 * Who has seen x, and then looks at y with an ordered load, against who changes y, passes a fence and misses x: the load may overtake
 * the one before it, unless that acquires.
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
    return run_all(shape, READ_AS(ANY, ANY, ANY, ANY)).raced;
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

/* Only who has read y as 1 goes on to x: a race in such a run would be one of the shape. */
static bool races_when_seen(const struct shape *shape)
{
    bool raced = false;

    choices.given = 0;
    do {
        run_once(shape);
        raced |= views_fault() != NULL && registers[A] == 1;
    } while (choose_next());
    return raced;
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
