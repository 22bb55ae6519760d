// SPDX-License-Identifier: BSD-2-Clause
/*
 * The functions of all loaded objects in one map: [first byte, last byte] -> struct object_function.
 *
 * Each range owns the object whose function it has: the map's `retain` and `release` count them. When an object is
 * closed one update takes all its ranges out; when the last signal handler that could have found one of them is
 * through, the last `release` hands the counts over to the profile and frees the names. So a handler may use what it
 * found, and no count is lost.
 *
 * Who may do what: objects_changed(), objects_end() and the forks are serialized by a lock in here, which no
 * signal handler takes; `release` runs within them. objects_count() and objects_find() are for anybody.
 */
#ifndef EXAMPLES_PCMAP_OBJECTS_H
#define EXAMPLES_PCMAP_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/pcmap/object.h"
#include "rangemap/rangemap.h"

/* The domain that threads must be attached to before they count. NULL before objects_begin(). */
extern struct rangemap_domain *objects_domain;

/* Objects whose functions are not in the map for want of memory. */
extern uint64_t objects_lost;

/* Enters what is loaded already, which stays for good; `finished` hears of objects that go. 0, or a negative errno. */
int objects_begin(object_visitor_fn *finished);

/* The linker's notification, under its lock: it is about to unmap something, or its list of objects has changed. */
void objects_changed(bool is_unmapping);

/*
 * Counts samples at `pc`. False: no object has code there. For threads attached to objects_domain; signal
 * handlers of theirs. Wait-free.
 */
bool objects_count(uint64_t pc, uint64_t samples);

/* The function that holds `pc`: bounds in *entry, names copied, cut to `size` bytes. rangemap_find()'s results. */
int objects_find(uint64_t pc, struct rangemap_entry *entry, char *function, char *object, size_t size);

/*
 * Tells the visitor every function with samples that `finished` has not been told. From then on changes are ignored, so
 * nobody else calls either of the two.
 */
void objects_end(object_visitor_fn *visitor);

/* Around a fork, so that the child has no half of a change; it begins to count anew. */
void objects_before_fork(void);
void objects_after_fork(bool is_child);

#endif
