// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/retire.h"

#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/reclaim.h"

static void free_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    rm_cache_free(&thread->cache, &thread->domain->pool, bag, RM_BAG_LINES);
}

/* Disposes of the entries in turn; a subtree may take several calls. */
static bool dispose_bag(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct rm_bag *bag = RM_CONTAINER_OF(garbage, struct rm_bag, garbage);

    while (bag->done < bag->count) {
        if (*budget == 0) {
            return false;
        }
        if (rm_dispose_retired(&bag->entry[bag->done], thread, budget)) {
            bag->done++;
        }
    }
    free_bag(thread, bag);
    return true;
}

uint64_t rm_retire_bytes(const struct rm_garbage *garbage)
{
    return garbage->dispose == dispose_bag ? RM_CONTAINER_OF(garbage, struct rm_bag, garbage)->bytes : 0;
}

bool rm_retire_stage_slow(struct rm_thread *thread, uint64_t word, uint64_t values)
{
    struct rm_bag *bag = rm_cache_alloc(&thread->cache, &thread->domain->pool, RM_BAG_LINES);

    if (bag == NULL) {
        return false;
    }
    bag->garbage.dispose = dispose_bag;
    bag->older = thread->bag;
    bag->count = 1;
    bag->done = 0;
    bag->bytes = 0;
    bag->entry[0].word = word;
    bag->entry[0].values = values;
    thread->bag = bag;
    return true;
}

static void submit_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    /* A subtree is one entry of many nodes. */
    uint64_t things = bag->bytes / (RM_INNER_LINES * RM_CACHE_LINE);

    rm_reclaim_submit(thread, &bag->garbage, things > bag->count ? things : bag->count);
}

static void open_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    thread->bag = bag;
    thread->committed_bag = bag;
    thread->committed = bag != NULL ? bag->count : 0;
}

void rm_retire_close(struct rm_thread *thread)
{
    struct rm_bag *bag = thread->bag;

    if (bag == NULL) {
        return;
    }
    open_bag(thread, NULL);
    if (bag->count > 0) {
        submit_bag(thread, bag);
    } else {
        free_bag(thread, bag);
    }
}

static bool holds_values(const struct rm_bag *bag, unsigned from)
{
    for (unsigned i = from; i < bag->count; i++) {
        if (bag->entry[i].values != 0) {
            return true;
        }
    }
    return false;
}

#if defined(RANGEMAP_EXPLORER)
static void announce(const struct rm_thread *thread)
{
    for (const struct rm_bag *bag = thread->bag; bag != NULL; bag = bag->older) {
        for (unsigned i = bag == thread->committed_bag ? thread->committed : 0; i < bag->count; i++) {
            rm_explorer_retired(bag->entry[i].word, bag->entry[i].values);
        }
    }
}
#else
static void announce(const struct rm_thread *thread)
{
    (void)thread;
}
#endif

void rm_retire_commit(struct rm_thread *thread, uint64_t bytes)
{
    struct rm_bag *bag = thread->bag;
    bool values;

    announce(thread);
    bag->bytes += bytes;
    values = holds_values(bag, bag == thread->committed_bag ? thread->committed : 0);
    while (bag->older != NULL) {
        struct rm_bag *full = bag->older;

        bag->older = full->older;
        submit_bag(thread, full);
    }
    open_bag(thread, bag);
    if (values || bag->count == RM_BAG_ENTRIES) {
        rm_retire_close(thread);
    }
}

void rm_retire_abort(struct rm_thread *thread)
{
    while (thread->bag != thread->committed_bag) {
        struct rm_bag *older = thread->bag->older;

        free_bag(thread, thread->bag);
        thread->bag = older;
    }
    if (thread->bag != NULL) {
        thread->bag->count = thread->committed;
    }
}
