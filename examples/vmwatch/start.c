// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of libvmwatch.so in a process: begin before main, answer, report at exit.
 *
 *   VMWATCH_REPORTS=FILE   where each process has a slot for its report (slots.h)
 *   VMWATCH_FILTERS=N      of the seccomp filters that the process is under, the N that vmwatch is under are harmless
 *
 * What is mapped before the library begins comes from /proc/self/maps, once; from then on each call is followed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "examples/preload/gate.h"
#include "examples/preload/kernel_maps.h"
#include "examples/preload/preloaded.h"
#include "examples/preload/process.h"
#include "examples/preload/status.h"
#include "examples/preload/text.h"
#include "examples/vmwatch/arena.h"
#include "examples/vmwatch/ending.h"
#include "examples/vmwatch/follow.h"
#include "examples/vmwatch/hook.h"
#include "examples/vmwatch/note.h"
#include "examples/vmwatch/patch.h"
#include "examples/vmwatch/region.h"
#include "examples/vmwatch/space.h"
#include "examples/vmwatch/start.h"
#include "examples/vmwatch/vmwatch.h"

#define EXPORTED __attribute__((visibility("default")))

const char gate_variable[] = "VMWATCH_FILTERS";

static bool is_following;

/* ---- begin ---- */

static void complain(const char *before, const char *wrong)
{
    char buffer[512];
    struct text text = {.fd = STDERR_FILENO, .size = sizeof buffer, .buffer = buffer};

    text_add(&text, before);
    text_add(&text, wrong);
    text_add(&text, "\n");
    text_flush(&text);
}

static const char *begin(void)
{
    const char *wrong;

    (void)rangemap_forgo_membarrier(); /* a filter may come that forbids it */
    kernel_maps_keep();
    if (!arena_reserve() || !hook_prepare() || space_begin() != 0 || !process_begin()) {
        return "out of memory";
    }
    wrong = patch_begin();
    if (wrong == NULL) {
        follow_seed();
        start_set_done(true);
        (void)at_quick_exit(ending_exit);
        if (pthread_atfork(note_fork, NULL, hook_fork_child) != 0) {
            complain("vmwatch: children may go unnoticed: ", "out of memory");
        }
    }
    return wrong;
}

/* The child of a process that is not followed is not followed. */
static void note_child(void)
{
    note_take(false);
    note_birth();
}

/* The variable's value, or NULL. */
static const char *value_of(char *const *environment, const char *variable)
{
    size_t length = strlen(variable);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, variable, length) == 0 && (*environment)[length] == '=') {
            return *environment + length + 1;
        }
    }
    return NULL;
}

__attribute__((constructor)) static void on_load(int argc, char **argv, char **environment)
{
    const char *reports = value_of(environment, "VMWATCH_REPORTS"), *wrong;
    bool confined = gate_is_shut();
    struct status status;

    (void)argc;
    (void)argv;
    if (!preloaded()) {
        complain(
            "vmwatch: this process is not followed: ",
            "it ran already when the library was loaded, and calls under way in it cannot be told from those "
            "to come. Start it under vmwatch");
        return;
    }
    if (reports != NULL && *reports != '\0' && !note_open(reports)) {
        complain("vmwatch: no report can be made in ", reports);
    }
    note_take(!confined);
    if (confined && status_read(&status)) {
        note_identity(&status);
    }
    wrong = confined ? "it was started under a seccomp filter that vmwatch is not under" : begin();
    if (wrong != NULL) {
        note_reason(wrong);
        (void)pthread_atfork(note_fork, NULL, note_child);
        complain("vmwatch: this process is not followed: ", wrong);
    }
}

bool start_is_done(void)
{
    return __atomic_load_n(&is_following, __ATOMIC_ACQUIRE);
}

void start_set_done(bool done)
{
    __atomic_store_n(&is_following, done, __ATOMIC_RELEASE);
}

/* ---- end ---- */

__attribute__((destructor)) static void on_exit_of_process(void)
{
    ending_exit();
}

/* These end the process without destructors. */
EXPORTED void _exit(int status)
{
    ending_exit();
    for (;;) {
        (void)sys3(SYS_exit_group, (uint64_t)status, 0, 0);
    }
}

EXPORTED void _Exit(int status)
{
    _exit(status);
}

/* ---- in between ---- */

static void describe(const struct rangemap_entry *entry, struct vmwatch_owner *owner)
{
    const struct region *region = entry->value;

    *owner = (struct vmwatch_owner){.start = entry->start,
                                    .last = entry->last,
                                    .offset = region->inode != 0 ? entry->start - region->origin : 0,
                                    .inode = region->inode,
                                    .prot = region->prot,
                                    .shared = region->shared,
                                    .tid = region->tid,
                                    .mapped_by = region->mapped_by};
    strncpy(owner->name, region->name, sizeof owner->name - 1);
}

static int find_owner(uint64_t address, struct vmwatch_owner *owner)
{
    struct rangemap_entry entry;
    int result = rangemap_read_begin(space_map);

    if (result == 0) {
        result = rangemap_find_held(space_map, address, &entry);
        if (result == 0) {
            describe(&entry, owner);
        }
        rangemap_read_end(space_map);
    }
    return result;
}

/*
 * A thread's first use of the map attaches it, always inside hook_enter(): with signals held off, so that a handler
 * never finds it half attached.
 */
EXPORTED int vmwatch_owner(const void *address, struct vmwatch_owner *owner)
{
    struct hook_signals signals;
    int result;

    if (!start_is_done()) {
        return -EAGAIN;
    }
    if (hook_is_attached() || !hook_enter(&signals)) {
        return find_owner((uint64_t)(uintptr_t)address, owner);
    }
    result = find_owner((uint64_t)(uintptr_t)address, owner);
    hook_leave(&signals);
    return result;
}
