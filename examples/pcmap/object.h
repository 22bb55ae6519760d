// SPDX-License-Identifier: BSD-2-Clause
/*
 * One loaded object: its functions, how often each was hit, and who still needs it.
 *
 * Each range of the map owns the object whose function it has, and so does the list that the object is in. The last
 * owner frees it.
 */
#ifndef EXAMPLES_PCMAP_OBJECT_H
#define EXAMPLES_PCMAP_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/pcmap/elf_functions.h"
#include "rangemap/rangemap.h"

struct object;

/* A function, or a section or segment for code that no symbol names. The value of ranges in the map. */
struct object_function {
    const char *name;
    struct object *object;
    uint64_t samples; /* any thread adds */
    /* Those taken while the linker was unmapping objects, perhaps this one; any thread adds. */
    uint64_t in_doubt;
};

enum object_state {
    OBJECT_STAYS,
    OBJECT_MAY_GO, /* the linker is unmapping, perhaps this one */
    OBJECT_GONE
};

struct object {
    struct object *next;
    uint64_t round;  /* the latest look at the linker's list that saw it */
    uint64_t owners; /* atomic */
    /* Where it is: together with the name they tell objects apart. */
    uint64_t base;
    const ElfW(Phdr) * headers; /* in the object itself: not to be followed once it is unmapped */
    unsigned header_count;
    uint64_t start, last; /* of all its segments */
    bool is_permanent;    /* loaded at start: never unmapped */
    uint32_t state;       /* enum object_state; handlers read it */
    uint32_t has_doubt;   /* some function's in_doubt is not 0; handlers set it */
    size_t count;
    struct object_function *functions;
    struct elf_functions elf; /* names, and where the functions are */
    char name[];              /* path */
};

/* Told what was counted for one function. `gone`: the object was closed, so what was in doubt was not its own. */
typedef void object_visitor_fn(const char *function, const char *object, uint64_t samples, uint64_t in_doubt,
                               bool gone);

/* What the linker shows, with the names of its file and one owner. NULL: out of memory. */
struct object *object_read(const struct dl_phdr_info *info);
void object_free(struct object *object);

bool object_is(const struct object *object, const struct dl_phdr_info *info);

/* Takes an ownership, or gives one up: true if it was the last. Any thread. */
void object_own(struct object *object);
bool object_disown(struct object *object);

/* Enters all functions in one step. 0, or a negative errno: then none is in the map. */
int object_enter(struct object *object, struct rangemap *map);

/* Counts samples. In a read section of the map. Any thread, also in signal handlers. */
void object_count(struct object_function *function, uint64_t samples);

/* The linker is about to unmap something; it is over and the object still there. */
void object_doubt(struct object *object);
void object_settle(struct object *object);

/* Tells the visitor every function with samples. */
void object_visit(const struct object *object, bool is_gone, object_visitor_fn *visitor);

/* Counts anew from 0, while nobody else counts. */
void object_forget_counts(struct object *object);

#endif
