// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/shape.h"

#include <string.h>

#include "test/explorer/views.h"
#include "test/shim/ctest.h"

enum { CHOICES = 64 };

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

/* ---- all of them ---- */

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

struct shape_result shape_run(const struct shape *shape, const struct outcome *outcome)
{
    struct shape_result result = {false, false, false};

    choices.given = 0;
    do {
        bool reaches, races;

        run_once(shape);
        reaches = is_outcome(outcome);
        races = views_fault() != NULL;
        result.reached |= reaches;
        result.raced |= races;
        result.both |= reaches && races;
    } while (choose_next());
    return result;
}
