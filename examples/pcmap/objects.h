// SPDX-License-Identifier: BSD-2-Clause
/*
 * The functions of all loaded objects in one map: [first byte, last byte] -> struct object_function.
 *
 * Each range owns the object whose function it has: the map's `retain` and `release` count them. When an object is
 * closed one update takes all its ranges out; when the last signal handler that could have found one of them is
 * through, the last `release` hands the counts over to the profile and frees the names. So a handler may use what it
 * found, and no count is lost.
 *
 * Who may do what: objects_changed() and the forks are serialized by a lock in here, which no
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

/* Told of objects that come and go, with the linker's lock held. */
typedef void object_watch_fn(const struct object *object, bool is_gone);

/* Before objects_begin(): who is told; or nobody, NULL. */
void objects_watch(object_watch_fn *watcher);

/* Locked: tells of all that are there. */
void objects_tell(object_watch_fn *watcher);

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
 * Keeps changes away, and with them calls of `finished`. False: one is under way, perhaps of the caller itself, which
 * may be a signal handler. All of these are async-signal-safe.
 */
bool objects_try_lock(void);
void objects_unlock(void);

/* Locked: tells the visitor every function with samples that `finished` has not been told. */
void objects_visit(object_visitor_fn *visitor);

/* From now on changes are ignored, or heeded again; what came meanwhile is seen with the next one. */
void objects_ignore(bool changes);

/* Around a fork, so that the child has no half of a change; it begins to count anew. */
void objects_before_fork(void);
void objects_after_fork(bool is_child);

#endif
