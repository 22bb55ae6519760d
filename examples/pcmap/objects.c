// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "examples/pcmap/objects.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

struct rangemap_domain *objects_domain;
uint64_t objects_lost;

static struct rangemap *map;
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

/* All below is for who holds `changing`. */
static struct object *objects; /* in the linker's list */
static struct object *leaving; /* closed; signal handlers may still be counting */
static object_visitor_fn *finished;
static object_watch_fn *watched;
static uint64_t round_of_looks;
static bool is_over;                            /* objects_ignore(true) was called */
static unsigned long long seen_adds, seen_subs; /* the linker's counts as of the latest look */

/* ---- an object comes and goes ---- */

static void unlink_object(struct object **list, struct object *object)
{
    while (*list != object) {
        list = &(*list)->next;
    }
    *list = object->next;
}

static void disown(struct object *object)
{
    if (object_disown(object)) {
        object_visit(object, true, finished);
        unlink_object(&leaving, object);
        object_free(object);
    }
}

/* The map's callbacks. `release` runs after a grace period: no handler holds the function any more. */
static void retain(void *function, void *unused)
{
    (void)unused;
    object_own(((struct object_function *)function)->object);
}

static void release(void *function, void *unused)
{
    (void)unused;
    disown(((struct object_function *)function)->object);
}

/* Takes all its ranges out, in one step. False: out of memory; then its names are there, but mean nothing. */
static bool withdraw(struct object *object)
{
    __atomic_store_n(&object->state, OBJECT_GONE, __ATOMIC_RELAXED);
    if (object->start <= object->last && rangemap_carve(map, object->start, object->last, NULL, NULL) != 0) {
        objects_lost++;
        return false;
    }
    if (watched != NULL) {
        watched(object, true);
    }
    unlink_object(&objects, object);
    object->next = leaving;
    leaving = object;
    disown(object);
    return true;
}

/* All of its functions, or none and false. */
static bool add_object(const struct dl_phdr_info *info, bool is_permanent)
{
    struct object *object = object_read(info);

    if (object == NULL) {
        return false;
    }
    object->is_permanent = is_permanent;
    object->next = objects;
    objects = object;
    if (watched != NULL) {
        watched(object, false);
    }
    if (object_enter(object, map) != 0) {
        (void)withdraw(object);
        return false;
    }
    return true;
}

/* ---- the linker's list ---- */

static struct object *known(const struct dl_phdr_info *info)
{
    struct object *object = objects;

    while (object != NULL && (object->state == OBJECT_GONE || !object_is(object, info))) {
        object = object->next;
    }
    return object;
}

static int compare_counts(struct dl_phdr_info *info, size_t size, void *differ)
{
    (void)size;
    *(bool *)differ = info->dlpi_adds != seen_adds || info->dlpi_subs != seen_subs;
    seen_adds = info->dlpi_adds;
    seen_subs = info->dlpi_subs;
    return 1;
}

static int note_known(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object *object = known(info);

    (void)size;
    (void)unused;
    if (object != NULL) {
        object->round = round_of_looks;
    }
    return 0;
}

static int add_unknown(struct dl_phdr_info *info, size_t size, void *is_permanent)
{
    (void)size;
    if (known(info) == NULL && !add_object(info, *(const bool *)is_permanent)) {
        objects_lost++;
    }
    return 0;
}

/* False: memory ran out before all that is gone was out. */
static bool withdraw_gone(void)
{
    struct object *object, *next;

    round_of_looks++;
    (void)dl_iterate_phdr(note_known, NULL);
    for (object = objects; object != NULL; object = next) {
        next = object->next;
        if (object->round != round_of_looks && !withdraw(object)) {
            return false;
        }
    }
    return true;
}

/* What is gone first: something else may be in its place. */
static void look_at_list(bool is_permanent)
{
    bool differ = false;

    (void)dl_iterate_phdr(compare_counts, &differ);
    if (!differ) {
        return;
    }
    if (withdraw_gone()) {
        (void)dl_iterate_phdr(add_unknown, &is_permanent);
    } else {
        seen_adds = seen_subs = 0; /* look again next time */
    }
    (void)rangemap_domain_poll(objects_domain); /* releases what was closed earlier */
}

static void for_all(struct object *object, void (*act)(struct object *object))
{
    for (; object != NULL; object = object->next) {
        act(object);
    }
}

void objects_changed(bool is_unmapping)
{
    int saved = errno;

    (void)pthread_mutex_lock(&changing);
    if (__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        /* The counts have been read. */
    } else if (is_unmapping) {
        for_all(objects, object_doubt);
    } else {
        look_at_list(false);
        for_all(objects, object_settle);
    }
    (void)pthread_mutex_unlock(&changing);
    errno = saved;
}

int objects_begin(object_visitor_fn *told)
{
    struct rangemap_options options = {.release = release, .retain = retain};
    int result = rangemap_domain_create(NULL, &options.domain);

    finished = told;
    if (result == 0) {
        result = rangemap_create(&options, &map);
    }
    if (result == 0) {
        objects_domain = options.domain;
        look_at_list(true);
    }
    return result;
}

/* ---- counting ---- */

bool objects_count(uint64_t pc, uint64_t samples)
{
    bool found;
    void *function;

    if (rangemap_read_begin(map) != 0) {
        return false;
    }
    found = rangemap_lookup_held(map, pc, &function) == 0;
    if (found) {
        object_count(function, samples);
    }
    rangemap_read_end(map);
    return found;
}

static void copy_name(char *to, const char *from, size_t size)
{
    size_t bytes = strnlen(from, size - 1);

    memcpy(to, from, bytes);
    to[bytes] = '\0';
}

int objects_find(uint64_t pc, struct rangemap_entry *entry, char *function, char *object, size_t size)
{
    const struct object_function *found;
    int result = rangemap_read_begin(map);

    if (result != 0) {
        return result;
    }
    result = rangemap_find_held(map, pc, entry);
    found = result == 0 ? entry->value : NULL;
    if (found != NULL && __atomic_load_n(&found->object->state, __ATOMIC_RELAXED) == OBJECT_GONE) {
        result = -ENOENT;
    } else if (found != NULL) {
        copy_name(function, found->name, size);
        copy_name(object, found->object->name, size);
    }
    rangemap_read_end(map);
    return result;
}

/* ---- looking at the counts, and forks ---- */

void objects_watch(object_watch_fn *watcher)
{
    watched = watcher;
}

void objects_tell(object_watch_fn *watcher)
{
    for (const struct object *object = objects; object != NULL; object = object->next) {
        watcher(object, false);
    }
}

bool objects_try_lock(void)
{
    return pthread_mutex_trylock(&changing) == 0;
}

void objects_unlock(void)
{
    (void)pthread_mutex_unlock(&changing);
}

void objects_visit(object_visitor_fn *visitor)
{
    for (const struct object *object = objects; object != NULL; object = object->next) {
        object_visit(object, false, visitor);
    }
    for (const struct object *object = leaving; object != NULL; object = object->next) {
        object_visit(object, true, visitor);
    }
}

void objects_ignore(bool changes)
{
    __atomic_store_n(&is_over, changes, __ATOMIC_RELAXED);
}

void objects_before_fork(void)
{
    (void)pthread_mutex_lock(&changing);
}

void objects_after_fork(bool is_child)
{
    if (is_child) {
        for_all(objects, object_forget_counts);
        for_all(leaving, object_forget_counts);
    }
    (void)pthread_mutex_unlock(&changing);
}
