// SPDX-License-Identifier: BSD-2-Clause
#include "test/history/linearize.h"

#include <stdlib.h>

#include "test/shim/ctest.h"
#include "test/shim/prng.h"

struct event {
    const struct operation *operation;
    unsigned part;
};

struct search {
    unsigned count;
    struct event event[HISTORY_EVENTS];
    uint64_t before[HISTORY_EVENTS]; /* the set of those that came before it */
    const struct model *final;
};

/* ---- what led nowhere: a set of (done, model); what does not fit is not remembered ---- */

enum { MEMORY_SLOTS = 1 << 13, MEMORY_PROBES = 8 };

struct failure {
    unsigned round; /* of linearize() */
    uint64_t done;
    struct model model;
};

static struct failure *failures;
static unsigned failure_round;

static uint64_t digest(uint64_t done, const struct model *model)
{
    uint64_t bits = prng_mix(done) ^ model->joined;

    for (unsigned i = 0; i < model->count; i++) {
        const struct rangemap_entry *entry = &model->entry[i];

        bits = prng_mix(bits ^ entry->start) + prng_mix(bits + entry->last) + (uintptr_t)entry->value;
    }
    return prng_mix(bits);
}

/* Where the failure is, or a place for it, or NULL. */
static struct failure *failure_slot(uint64_t done, const struct model *model, bool *found)
{
    uint64_t at = digest(done, model);

    for (unsigned i = 0; i < MEMORY_PROBES; i++) {
        struct failure *failure = &failures[(at + i) % MEMORY_SLOTS];

        *found =
            failure->round == failure_round && failure->done == done && model_equal(&failure->model, model);
        if (*found || failure->round != failure_round) {
            return failure;
        }
    }
    return NULL;
}

static bool has_failed(uint64_t done, const struct model *model)
{
    bool found;

    return failure_slot(done, model, &found) != NULL && found;
}

static void remember_failure(uint64_t done, const struct model *model)
{
    bool found;
    struct failure *failure = failure_slot(done, model, &found);

    if (failure != NULL) {
        failure->round = failure_round;
        failure->done = done;
        model_copy(&failure->model, model);
    }
}

/* ---- the search ---- */

static bool precedes(const struct operation *a, const struct operation *b)
{
    return a->end < b->begin && (b->known == NULL || a->end <= b->known[a->thread]);
}

static void order_events(struct search *search)
{
    for (unsigned i = 0; i < search->count; i++) {
        search->before[i] = 0;
        for (unsigned j = 0; j < search->count; j++) {
            bool is = precedes(search->event[j].operation, search->event[i].operation);

            search->before[i] |= (uint64_t)is << j;
        }
    }
}

static bool is_next(const struct search *search, uint64_t done, unsigned i)
{
    return (done >> i & 1) == 0 && (search->before[i] & ~done) == 0;
}

/*
 * All that may be next, fits and changes nothing: doing it at once excludes nothing, for what else could come
 * before it can come after it as well.
 */
static uint64_t do_harmless(const struct search *search, uint64_t done, const struct model *model)
{
    uint64_t before;

    do {
        before = done;
        for (unsigned i = 0; i < search->count; i++) {
            struct model copy;

            if (is_next(search, done, i)) {
                model_copy(&copy, model);
                if (model_apply(&copy, search->event[i].operation, search->event[i].part) == MODEL_SAME) {
                    done |= UINT64_C(1) << i;
                }
            }
        }
    } while (done != before);
    return done;
}

static bool find_order(const struct search *search, uint64_t done, struct model *model);

/* A coalesce takes effect in several steps. */
static bool try_joins(const struct search *search, uint64_t done, const struct model *model,
                      const struct operation *operation)
{
    struct model copy;

    for (unsigned from = 0; from < model->count; from++) {
        for (unsigned to = from + 1; to < model->count; to++) {
            model_copy(&copy, model);
            if (model_join(&copy, operation, from, to) && find_order(search, done, &copy)) {
                return true;
            }
        }
    }
    return false;
}

static bool try_changes(const struct search *search, uint64_t done, const struct model *model)
{
    for (unsigned i = 0; i < search->count; i++) {
        const struct event *event = &search->event[i];
        struct model copy;
        enum model_verdict verdict;

        if (!is_next(search, done, i)) {
            continue;
        }
        model_copy(&copy, model);
        verdict = model_apply(&copy, event->operation, event->part);
        if ((verdict == MODEL_CHANGED && find_order(search, done | UINT64_C(1) << i, &copy)) ||
            (verdict == MODEL_JOINS && try_joins(search, done, model, event->operation))) {
            return true;
        }
    }
    return false;
}

static bool find_order(const struct search *search, uint64_t done, struct model *model)
{
    uint64_t all = search->count == 64 ? UINT64_MAX : (UINT64_C(1) << search->count) - 1;

    done = do_harmless(search, done, model);
    if (done == all) {
        model->joined = search->final->joined;
        return model_equal(model, search->final);
    }
    if (has_failed(done, model)) {
        return false;
    }
    if (try_changes(search, done, model)) {
        return true;
    }
    remember_failure(done, model);
    return false;
}

bool linearize(const struct model *initial, const struct operation *const *operations, unsigned count,
               const struct model *final)
{
    static struct search search;
    struct model model;

    if (failures == NULL) {
        failures = calloc(MEMORY_SLOTS, sizeof *failures);
        REQUIRE(failures != NULL);
    }
    failure_round++;
    search.count = 0;
    search.final = final;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned part = 0; part < model_parts(operations[i]); part++) {
            REQUIRE_LT(search.count, (unsigned)HISTORY_EVENTS);
            search.event[search.count++] = (struct event){operations[i], part};
        }
    }
    order_events(&search);
    model_copy(&model, initial);
    model.joined = 0;
    return find_order(&search, 0, &model);
}

/* What only its answer tells: how many ranges a coalesce joined so far, and which gap was taken. */
static void answers_of(const struct operation *open, uint64_t *low, uint64_t *high)
{
    *low = *high = 0;
    if (open->kind == DO_COALESCE) {
        *high = OPERATION_ENTRIES;
    } else if (open->kind == DO_GAP_ALLOCATE) {
        *low = open->start;
        *high = open->last;
    }
}

bool linearize_open(const struct model *initial, const struct operation *const *operations, unsigned count,
                    const struct operation *open, const struct model *final)
{
    const struct operation *all[HISTORY_EVENTS];
    struct operation effective = *open;
    uint64_t low, high;
    bool good = linearize(initial, operations, count, final);

    for (unsigned i = 0; i < count; i++) {
        all[i] = operations[i];
    }
    all[count] = &effective;
    effective.is_open = true;
    effective.result = 0;
    effective.end = UINT64_MAX;
    answers_of(open, &low, &high);
    for (uint64_t answer = low; !good && operation_is_update(open) && answer <= high; answer++) {
        effective.answer = answer;
        good = linearize(initial, all, count + 1, final);
    }
    return good;
}
