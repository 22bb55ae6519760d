// SPDX-License-Identifier: BSD-2-Clause
#include "test/context/stage.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "test/context/calls.h"
#include "test/shim/ctest.h"

/* ---- malloc and its like, by the linker's --wrap ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static atomic_uint allocations;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    allocations++;
    return __real_realloc(block, size);
}

unsigned stage_allocations(void)
{
    return allocations;
}

/* ---- callbacks of `trigger`: the first that is asked to tries the call ---- */

void stage_try_once(struct stage *stage)
{
    void (*try)(struct stage * stage) = stage->try;

    if (try != NULL) {
        stage->try = NULL;
        try(stage);
    }
}

static void *split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    struct stage *stage = context;

    (void)start;
    (void)last;
    if (stage->in == IN_SPLIT) {
        stage_try_once(stage);
    }
    return whole->value;
}

static void retain(void *value, void *context)
{
    struct stage *stage = context;

    (void)value;
    if (stage->in == IN_RETAIN) {
        stage_try_once(stage);
    }
}

static void release(void *value, void *context)
{
    struct stage *stage = context;

    (void)value;
    if (stage->in == IN_RELEASE) {
        stage_try_once(stage);
    }
}

static void pressure(struct rangemap_domain *domain, const struct rangemap_blocker *blocker, void *context)
{
    struct stage *stage = context;

    (void)domain;
    (void)blocker;
    if (stage->in == IN_PRESSURE) {
        stage_try_once(stage);
    }
}

static void ignore(void *value, void *context)
{
    (void)value;
    (void)context;
}

/* ---- */

static struct rangemap *new_map(struct rangemap_options options, struct rangemap_domain *domain)
{
    struct rangemap *map;

    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static void add(struct rangemap *map, uint64_t start, uint64_t last, void *value)
{
    REQUIRE_EQ(rangemap_insert(map, start, last, value, NULL), 0);
}

static void fill(struct stage *stage)
{
    add(stage->map, 100, 199, stage->value);
    add(stage->map, 200, 299, stage->value);
    add(stage->map, 400, 499, stage->value);
    add(stage->owned, 1, 2, stage->value);
    add(stage->plain, 1, 2, stage->value);
    add(stage->trigger, 100, 199, stage->value);
}

void stage_init(struct stage *stage, const struct call *call, struct stage_options how)
{
    struct rangemap_domain_options options = {.chunks = &stage->chunks.allocator};
    const struct rangemap_options plain = {.track_gaps = how.tracks_gaps};
    struct rangemap_options owning = {.release = ignore, .track_gaps = how.tracks_gaps};
    struct rangemap_options trigger = {.split = split,
                                       .retain = retain,
                                       .release = release,
                                       .context = stage,
                                       .track_gaps = how.tracks_gaps};

    *stage = (struct stage){.call = call};
    stage->value = stage;
    if (how.presses) {
        options.soft_limit_bytes = 1;
        options.pressure = pressure;
        options.context = stage;
    }
    chunk_source_init(&stage->chunks);
    REQUIRE_EQ(rangemap_domain_create(&options, &stage->domain), 0);
    REQUIRE_EQ(rangemap_domain_create(NULL, &stage->spare), 0);
    stage->map = new_map(plain, stage->domain);
    stage->blank = new_map(plain, stage->domain);
    stage->plain = new_map(plain, stage->domain);
    stage->owned = new_map(owning, stage->domain);
    stage->trigger = new_map(trigger, stage->domain);
    fill(stage);
    REQUIRE_EQ(rangemap_domain_attach(NULL), 0);
    REQUIRE_EQ(rangemap_domain_attach(stage->spare), 0);
    REQUIRE_EQ(rangemap_domain_attach(stage->domain), 0);
}

void stage_free(struct stage *stage)
{
    struct rangemap *const maps[] = {stage->map, stage->blank, stage->plain, stage->owned, stage->trigger};

    stage->try = NULL;
    for (unsigned i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        CHECK_EQ(rangemap_destroy(maps[i]), 0, "%s", stage->call->label);
    }
    CHECK_EQ(rangemap_domain_destroy(stage->domain), 0, "%s", stage->call->label);
    if (stage->spare != NULL) {
        CHECK_EQ(rangemap_domain_destroy(stage->spare), 0, "%s", stage->call->label);
    }
    CHECK_EQ(stage->chunks.live, 0u);
}

void stage_try(struct stage *stage)
{
    unsigned requests = stage->chunks.calls, before = allocations;

    stage->result = stage->call->run(stage);
    stage->tries++;
    stage->requests = stage->chunks.calls - requests;
    stage->allocations = allocations - before;
}
