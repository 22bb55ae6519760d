// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/shadow.h"

#include <string.h>

#include "rangemap/epoch/retire.h"
#include "test/explorer/schedule.h"

enum { ARENA_BYTES = 4 << 20, ARENA_LINES = ARENA_BYTES / RM_CACHE_LINE, JOURNAL = 1 << 14 };

enum line_state { NEVER, FREE, LIVE, PUBLISHED, RETIRED, BOOKS };

struct line {
    uint8_t state;
    bool is_journaled;
    uint8_t part; /* of a node: which of its lines; the first has its state */
    uint32_t retired_at;
};

static _Alignas(RM_CHUNK_MAX_BYTES) char arena[ARENA_BYTES];
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
static uint32_t saved_line
    [ARENA_LINES]; /* those that were in use when saved: they are put back whether journaled or not */
static size_t saved_lines;
static struct {
    uint32_t index;
    struct line line;
} journal[JOURNAL];
static unsigned journaled;

static const char *fault;
static bool keeps_freed, is_closing;
static unsigned current_thread;
static const struct rangemap *watched;

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
        if (line[i].state > FREE) {
            saved_line[saved_lines++] = (uint32_t)i;
        }
    }
    memcpy(arena_copy, arena, now.used);
    saved = now;
    is_saved = true;
}

static void restore_line(size_t index)
{
    memcpy(arena + index * RM_CACHE_LINE, arena_copy + index * RM_CACHE_LINE, RM_CACHE_LINE);
}

/* A line that was free has links in it, which change only if it is used meanwhile. */
void shadow_restore(void)
{
    for (unsigned i = 0; i < journaled; i++) {
        line[journal[i].index] = journal[i].line;
        restore_line(journal[i].index);
    }
    journaled = 0;
    for (size_t i = 0; i < saved_lines; i++) {
        restore_line(saved_line[i]);
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

bool shadow_holds(const void *address)
{
    return line_of(address) != NULL;
}

bool shadow_is_in_tree(const void *address)
{
    const struct line *there = line_of(address);

    return there != NULL && there->state >= LIVE && there->state <= RETIRED &&
           (there[-there->part].state == PUBLISHED || there[-there->part].state == RETIRED);
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
        first[i].part = (uint8_t)i;
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

void rm_explorer_books(const void *address, size_t bytes, bool open)
{
    struct line *first = line_of(address);

    if (first != NULL && open && first->state > FREE) {
        shadow_set_fault("memory taken into use twice");
    }
    for (size_t i = 0; first != NULL && i < (bytes + RM_CACHE_LINE - 1) / RM_CACHE_LINE; i++) {
        set_state(first + i, open ? BOOKS : FREE);
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

/* G2, strictly: no slot's class is below that of a slot in the node it leads to. */
static void check_classes(const struct rm_node *node, unsigned bound)
{
    uint64_t meta = rm_word_private(&node->meta);

    for (unsigned i = 0; rm_meta_level(meta) > 0 && i < rm_meta_count(meta); i++) {
        uint64_t word = rm_word_private(&rm_inner(node)->slot[i]);

        if (rm_slot_class(word) > bound) {
            shadow_set_fault("a slot's class is below one further down (G2)");
        }
        check_classes(rm_slot_node(word), rm_slot_class(word));
    }
}

void shadow_watch(const struct rangemap *map)
{
    watched = map;
}

void rm_explorer_published(const struct rm_node *node)
{
    if (line_of(node)->state == PUBLISHED) {
        shadow_set_fault("a node published twice");
    }
    publish(node);
    if (watched->tracks_gaps && !is_closing) {
        check_classes(rm_slot_node(rm_word_private(&watched->root)), RM_CLASS_END);
    }
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
