// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of libvmwatch.so in a process: begin before main, answer, report at exit.
 *
 *   VMWATCH_REPORTS=DIR   each process that ends by exit() or _exit() leaves the file DIR/PID
 *
 * What is mapped before the library begins comes from /proc/self/maps, once; from then on each call is followed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "examples/vmwatch/arena.h"
#include "examples/vmwatch/check.h"
#include "examples/vmwatch/follow.h"
#include "examples/vmwatch/hook.h"
#include "examples/vmwatch/patch.h"
#include "examples/vmwatch/region.h"
#include "examples/vmwatch/space.h"
#include "examples/vmwatch/start.h"
#include "examples/vmwatch/text.h"
#include "examples/vmwatch/vmwatch.h"

#define EXPORTED __attribute__((visibility("default")))

static bool is_following;
static char reports[3072]; /* the folder; empty: none */
static int reported_by;    /* the process that has reported */

/* ---- begin ---- */

static const char *begin(void)
{
    const char *wrong;

    if (!arena_reserve() || !hook_prepare() || space_begin() != 0 || !hook_begin()) {
        return "out of memory";
    }
    wrong = patch_begin();
    if (wrong == NULL) {
        follow_seed();
        __atomic_store_n(&is_following, true, __ATOMIC_RELEASE);
    }
    return wrong;
}

static void complain(const char *wrong)
{
    struct text text = {.fd = STDERR_FILENO, .used = 0};

    text_add(&text, "vmwatch: this process is not followed: ");
    text_add(&text, wrong);
    text_add(&text, "\n");
    text_flush(&text);
}

__attribute__((constructor)) static void on_load(int argc, char **argv, char **environment)
{
    static const char variable[] = "VMWATCH_REPORTS=";
    const char *wrong;

    (void)argc;
    (void)argv;
    for (; *environment != NULL; environment++) {
        const char *value = *environment + strlen(variable);

        if (strncmp(*environment, variable, strlen(variable)) == 0 && strlen(value) < sizeof reports) {
            memcpy(reports, value, strlen(value) + 1);
        }
    }
    wrong = begin();
    if (wrong != NULL) {
        complain(wrong);
    }
}

bool start_is_done(void)
{
    return __atomic_load_n(&is_following, __ATOMIC_ACQUIRE);
}

/* ---- end ---- */

static int create_report(void)
{
    char path[sizeof reports + 24];
    struct text name = {.used = 0};

    text_number(&name, (uint64_t)sys3(SYS_getpid, 0, 0, 0), 10);
    memcpy(path, reports, strlen(reports));
    path[strlen(reports)] = '/';
    memcpy(path + strlen(reports) + 1, name.buffer, name.used);
    path[strlen(reports) + 1 + name.used] = '\0';
    return (int)sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                     0600);
}

void start_report(void)
{
    struct hook_signals signals;
    int pid = (int)sys3(SYS_getpid, 0, 0, 0), fd;

    if (!start_is_done() || reports[0] == '\0' ||
        __atomic_exchange_n(&reported_by, pid, __ATOMIC_RELAXED) == pid || !hook_enter(&signals)) {
        return;
    }
    fd = create_report();
    if (fd >= 0) {
        if (!hook_close()) {
            static const char busy[] = "failed a call was under way for seconds\n";

            (void)sys3(SYS_write, (uint64_t)fd, sys_bits(busy), sizeof busy - 1);
        }
        check_report(fd);
        hook_open();
        (void)sys3(SYS_close, (uint64_t)fd, 0, 0);
    }
    hook_leave(&signals);
}

__attribute__((destructor)) static void on_exit_of_process(void)
{
    start_report();
}

/* These end the process without destructors. */
EXPORTED void _exit(int status)
{
    start_report();
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
