// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/retire.h"

#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/reclaim.h"

/* Of what is in an open bag only its thread knows, and no limit: fewer bytes, and 20 single nodes that came behind. */
enum { OPEN_BYTES_MAX = 64 * 1024 };

static void free_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    rm_thread_free(thread, bag, RM_BAG_LINES);
}

/* Frees what comes next, as long as it is nodes. */
static void free_nodes(struct rm_bag *bag, struct rm_thread *thread, unsigned *budget)
{
    unsigned i = bag->done, end = bag->count - i > *budget ? i + *budget : bag->count;
    const struct rm_retired *retired = &bag->entry[i];

    for (; i < end && rm_retired_is_node(retired); i++, retired++) {
        unsigned lines = (unsigned)(retired->word & RM_RETIRED_TAGS);

        rm_thread_free(thread, (void *)(uintptr_t)(retired->word - lines), lines);
    }
    *budget -= i - bag->done;
    bag->done = i;
}

/* Disposes of the entries in turn; a subtree may take several calls. */
static bool dispose_bag(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct rm_bag *bag = RM_CONTAINER_OF(garbage, struct rm_bag, garbage);

    while (free_nodes(bag, thread, budget), bag->done < bag->count) {
        if (*budget == 0 || !rm_dispose_retired(&bag->entry[bag->done], thread, budget)) {
            return false;
        }
        bag->done++;
    }
    free_bag(thread, bag);
    return true;
}

static uint64_t bag_bytes(const struct rm_garbage *garbage)
{
    return RM_CONTAINER_OF(garbage, struct rm_bag, garbage)->bytes + RM_BAG_LINES * RM_CACHE_LINE;
}

static const struct rm_garbage_kind bag_of_nodes = {dispose_bag, bag_bytes, false, false};
static const struct rm_garbage_kind bag_with_values = {dispose_bag, bag_bytes, true, false};

static struct rm_bag *new_bag(struct rm_thread *thread)
{
    struct rm_bag *bag = rm_thread_alloc(thread, RM_BAG_LINES);

    if (bag != NULL) {
        bag->older = thread->bag;
        bag->count = 0;
        bag->done = 0;
        bag->bytes = 0;
        bag->holds_values = false;
    }
    return bag;
}

bool rm_retire_stage_slow(struct rm_thread *thread, uint64_t word, uint64_t values)
{
    struct rm_bag *bag = new_bag(thread);

    if (bag == NULL) {
        return false;
    }
    thread->bag = bag;
    return rm_retire_stage(thread, word, values);
}

static void submit_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    /* A subtree is one entry of many nodes. */
    uint64_t entries = bag->bytes / (RM_INNER_LINES * RM_CACHE_LINE);

    bag->garbage.kind = bag->holds_values ? &bag_with_values : &bag_of_nodes;
    rm_reclaim_submit(thread, &bag->garbage, entries > bag->count ? entries : bag->count);
}

static void open_bag(struct rm_thread *thread, struct rm_bag *bag)
{
    thread->bag = bag;
    thread->committed_bag = bag;
    thread->committed = bag != NULL ? bag->count : 0;
}

bool rm_retire_open(struct rm_thread *thread)
{
    open_bag(thread, new_bag(thread));
    return thread->bag != NULL;
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

    announce(thread);
    bag->bytes += bytes;
    while (bag->older != NULL) {
        struct rm_bag *full = bag->older;

        bag->older = full->older;
        submit_bag(thread, full);
    }
    open_bag(thread, bag);
    if (bag->holds_values || bag->count == RM_BAG_ENTRIES || bag->bytes >= OPEN_BYTES_MAX) {
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
        thread->bag->holds_values = false;
    }
}
