// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/shadow.h"

#include <string.h>

#include "rangemap/epoch/retire.h"
#include "test/explorer/schedule.h"

enum { ARENA_BYTES = 2 << 20, ARENA_LINES = ARENA_BYTES / RM_CACHE_LINE, JOURNAL = 1 << 14 };

enum line_state { NEVER, FREE, LIVE, PUBLISHED, RETIRED };

struct line {
    uint8_t state;
    bool is_journaled;
    uint32_t retired_at;
};

static _Alignas(RM_CHUNK_MIN_BYTES) char arena[ARENA_BYTES];
static char arena_copy[ARENA_BYTES];
static struct line line[ARENA_LINES];

static struct shadow {
    size_t used; /* of the arena, in chunks */
    int live;
    uint32_t clock;
    unsigned depth[SCHEDULE_THREADS]; /* of sections */
    uint32_t since[SCHEDULE_THREADS];
} now, saved;

static bool is_saved;
static size_t saved_lines; /* all lines that were in use when saved lie below */
static struct {
    uint32_t index;
    struct line line;
} journal[JOURNAL];
static unsigned journaled;

static const char *fault;
static bool keeps_freed, is_closing;
static unsigned current_thread;

const char *shadow_fault(void)
{
    return fault;
}

void shadow_set_fault(const char *text)
{
    if (fault == NULL) {
        fault = text;
    }
}

static void *arena_alloc(size_t bytes, size_t alignment, void *context)
{
    size_t at = (now.used + alignment - 1) & ~(alignment - 1);

    (void)context;
    if (at + bytes > ARENA_BYTES) {
        return NULL;
    }
    now.used = at + bytes;
    return arena + at;
}

static void arena_free(void *chunk, size_t bytes, void *context)
{
    (void)chunk;
    (void)bytes;
    (void)context;
}

const struct rangemap_chunk_allocator shadow_chunks = {arena_alloc, arena_free, NULL};

/* NULL: not in the arena. */
static struct line *line_of(const void *address)
{
    uintptr_t offset = (uintptr_t)address - (uintptr_t)arena;

    return offset < ARENA_BYTES ? &line[offset / RM_CACHE_LINE] : NULL;
}

static void set_state(struct line *changed, enum line_state state)
{
    if (is_saved && !changed->is_journaled) {
        if (journaled == JOURNAL) {
            shadow_set_fault("the explorer's journal is too short");
            return;
        }
        journal[journaled].index = (uint32_t)(changed - line);
        journal[journaled++].line = *changed;
        changed->is_journaled = true;
    }
    changed->state = (uint8_t)state;
}

void shadow_reset(void)
{
    memset(line, 0, sizeof line);
    memset(&now, 0, sizeof now);
    is_saved = false;
    journaled = 0;
    fault = NULL;
    is_closing = false;
}

void shadow_save(void)
{
    saved_lines = 0;
    for (size_t i = 0; i < ARENA_LINES; i++) {
        if (line[i].state != NEVER) {
            saved_lines = i + 1;
        }
    }
    memcpy(arena_copy, arena, now.used);
    saved = now;
    is_saved = true;
}

/* Lines that were not in use had no content worth restoring. */
void shadow_restore(void)
{
    for (unsigned i = 0; i < journaled; i++) {
        line[journal[i].index] = journal[i].line;
    }
    journaled = 0;
    for (size_t i = 0; i < saved_lines; i++) {
        if (line[i].state > FREE) {
            memcpy(arena + i * RM_CACHE_LINE, arena_copy + i * RM_CACHE_LINE, RM_CACHE_LINE);
        }
    }
    for (size_t at = 0; at < saved.used; at += RM_CHUNK_MIN_BYTES) {
        memcpy(arena + at, arena_copy + at, RM_CACHE_LINE); /* heads of chunks */
    }
    now = saved;
    fault = NULL;
    is_closing = false;
}

void shadow_keep_freed(bool keeps)
{
    keeps_freed = keeps;
}

void shadow_close(void)
{
    is_closing = true;
}

int shadow_live_nodes(void)
{
    return now.live;
}

void shadow_set_thread(unsigned thread)
{
    current_thread = thread;
}

void shadow_touch(const void *address)
{
    const struct line *touched = line_of(address);

    if (touched != NULL && touched->state <= FREE) {
        shadow_set_fault("memory touched that is free");
    }
}

void rm_explorer_section(bool begins)
{
    if (!begins) {
        rm_explorer_point(NULL);
        now.depth[current_thread]--;
    } else if (now.depth[current_thread]++ == 0) {
        now.since[current_thread] = ++now.clock;
    }
}

static bool is_in_grace_period(const struct line *freed)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        if (now.depth[i] > 0 && now.since[i] <= freed->retired_at) {
            return true;
        }
    }
    return false;
}

/* Bags are of a size that no node of a small tree has. */
static bool is_node(size_t bytes)
{
    return bytes != (size_t)RM_BAG_LINES * RM_CACHE_LINE;
}

/* NULL: not of the pool, or a whole chunk. */
static struct line *node_line(const void *address, size_t bytes)
{
    return bytes <= (size_t)RM_LINES_MAX * RM_CACHE_LINE ? line_of(address) : NULL;
}

void rm_explorer_unpoison(const void *address, size_t bytes)
{
    struct line *first = node_line(address, bytes);

    if (first == NULL) {
        return;
    }
    if (first->state > FREE) {
        shadow_set_fault("a node allocated twice");
    }
    now.live += is_node(bytes);
    for (size_t i = 0; i < bytes / RM_CACHE_LINE; i++) {
        set_state(first + i, LIVE);
    }
}

void rm_explorer_poison(const void *address, size_t bytes)
{
    struct line *first = node_line(address, bytes);

    if (first == NULL) {
        return;
    }
    if (first->state == FREE) {
        shadow_set_fault("a node freed twice");
    } else if (first->state == PUBLISHED && !is_closing) {
        shadow_set_fault("a node freed that is in the tree");
    } else if (first->state == RETIRED && is_in_grace_period(first)) {
        shadow_set_fault("a node freed before its grace period was over");
    }
    now.live -= is_node(bytes) && (first->state == LIVE || first->state == PUBLISHED);
    for (size_t i = 0; i < bytes / RM_CACHE_LINE; i++) {
        set_state(first + i, FREE);
    }
}

bool rm_explorer_keeps(const void *node)
{
    (void)node;
    return keeps_freed && is_saved;
}

/* A node and all below that is not in the tree yet. */
static void publish(const struct rm_node *node)
{
    struct line *first = line_of(node);
    uint64_t meta = rm_word_private(&node->meta);

    if (first->state == PUBLISHED) {
        return;
    }
    if (first->state != LIVE) {
        shadow_set_fault("a node published that is retired or free");
        return;
    }
    set_state(first, PUBLISHED);
    for (unsigned i = 0; rm_meta_level(meta) > 0 && i < rm_meta_count(meta); i++) {
        publish(rm_slot_node(rm_word_private(&rm_inner(node)->slot[i])));
    }
}

void rm_explorer_published(const struct rm_node *node)
{
    if (line_of(node)->state == PUBLISHED) {
        shadow_set_fault("a node published twice");
    }
    publish(node);
}

static void retire(const struct rm_node *node, bool with_children)
{
    struct line *first = line_of(node);
    uint64_t meta = rm_word_private(&node->meta);

    if (first->state != PUBLISHED) {
        shadow_set_fault(first->state == RETIRED ? "a node retired twice"
                                                 : "a node retired that was not in the tree");
        return;
    }
    set_state(first, RETIRED);
    first->retired_at = ++now.clock;
    now.live--;
    for (unsigned i = 0; with_children && rm_meta_level(meta) > 0 && i < rm_meta_count(meta); i++) {
        retire(rm_slot_node(rm_word_private(&rm_inner(node)->slot[i])), true);
    }
}

void rm_explorer_retired(uint64_t word, uint64_t values)
{
    const struct rm_node *node = (const struct rm_node *)(uintptr_t)(word & ~RM_RETIRED_TAGS);

    if ((values & RM_RETIRED_VALUE) == 0 && line_of(node) != NULL) {
        retire(node, (word & RM_RETIRED_TAGS) == RM_RETIRED_SUBTREE);
    }
}

static void check_reachable(const struct rm_node *node)
{
    uint64_t meta = rm_word_private(&node->meta);

    if (line_of(node) == NULL || line_of(node)->state != PUBLISHED) {
        shadow_set_fault("a node reachable from the map that is retired or free");
        return;
    }
    for (unsigned i = 0; rm_meta_level(meta) > 0 && i < rm_meta_count(meta); i++) {
        check_reachable(rm_slot_node(rm_word_private(&rm_inner(node)->slot[i])));
    }
}

void shadow_check_reachable(const struct rangemap *map)
{
    check_reachable(rm_slot_node(rm_word_private(&map->root)));
}
