// SPDX-License-Identifier: BSD-2-Clause
/* What a call needs to be tried once: a domain, and maps to read, to change and to destroy. */
#ifndef TEST_CONTEXT_STAGE_H
#define TEST_CONTEXT_STAGE_H

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"

struct call;

/* Which callback of `trigger` or of its domain tries the call. */
enum callback { IN_NONE, IN_SPLIT, IN_RETAIN, IN_RELEASE, IN_PRESSURE };

struct stage {
    struct chunk_source chunks; /* of `domain` */
    struct rangemap_domain *domain;
    struct rangemap_domain *spare;  /* without maps */
    struct rangemap *map;           /* 100..199, 200..299 and 400..499, with `value` */
    struct rangemap *blank;         /* empty */
    struct rangemap *owned, *plain; /* to be destroyed: with a release callback, and without */
    struct rangemap *trigger;       /* one range; updates of it run callbacks in which the call is tried */
    void *value;
    struct rangemap_cursor cursor;
    struct rangemap_deferred deferred;
    /* What is to be tried, and how: by the callback `in`, or by what the test itself makes run. */
    const struct call *call;
    enum callback in;
    void (*try)(struct stage *stage); /* NULL: done, or not yet */
    /* What came of it. */
    int result;
    unsigned tries;
    unsigned requests, allocations; /* made meanwhile: of chunks, of malloc and its like */
};

/* What may differ. */
struct stage_options {
    bool presses;     /* any garbage is above the domain's soft limit */
    bool tracks_gaps; /* the maps do */
};

/* All of it; the calling thread is attached. */
void stage_init(struct stage *stage, const struct call *call, struct stage_options options);
void stage_free(struct stage *stage);

/* Tries the call here and now, and notes what came of it. */
void stage_try(struct stage *stage);

/* Does what `try` says, the first time. */
void stage_try_once(struct stage *stage);

/* How often the test and the library have called malloc and its like. */
unsigned stage_allocations(void);

#endif
