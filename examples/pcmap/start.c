// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of libpcmap.so in a process: begin before main, follow threads and forks, write the profile at the end.
 *
 *   PCMAP_OUT=FILE        append profiles to FILE, in place of standard error
 *   PCMAP_HZ=N            samples per second of a thread's CPU time, 1 to 1000; 100 if not set
 *   PCMAP_STACKS=FOLDER   record call stacks in FOLDER/PID.stacks, for the program `stacks`
 *   PCMAP_STACKS_MB=N     room for them, 1 to 65536 MiB; 256 if not set. The file has holes until it is used
 *   PCMAP_EVERY=SECONDS   write the profile so far from time to time as well, while the process is running
 *
 * `kill -33 PID` asks for the profile so far.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "examples/pcmap/confine.h"
#include "examples/pcmap/linker.h"
#include "examples/pcmap/objects.h"
#include "examples/pcmap/pcmap.h"
#include "examples/pcmap/profile.h"
#include "examples/pcmap/report.h"
#include "examples/pcmap/sampler.h"
#include "examples/pcmap/stacks.h"
#include "examples/pcmap/unknown.h"
#include "examples/preload/gate.h"
#include "examples/preload/kernel_maps.h"
#include "examples/preload/preloaded.h"
#include "examples/preload/process.h"
#include "examples/preload/status.h"

#define EXPORTED __attribute__((visibility("default")))

const char gate_variable[] = "PCMAP_FILTERS";

static bool is_profiled;
static bool is_over; /* the last profile has been written */

static void begin_child(bool is_raw);

/* ---- profiles ---- */

/* Whether the caller is profiled; the child of a fork that nobody has told of begins here. */
static bool is_ours(void)
{
    if (!__atomic_load_n(&is_profiled, __ATOMIC_ACQUIRE) || !confine_allows(CONFINE_REPORT)) {
        return false;
    }
    if (process_is_child()) {
        if (objects_try_lock()) {
            begin_child(true);
        } else { /* a thread of the parent's was changing the list, and is not here to go on */
            __atomic_store_n(&is_profiled, false, __ATOMIC_RELAXED);
        }
    }
    return is_profiled && process_kind() == PROCESS_OURS;
}

/* A change of the list of objects by another thread does not take long; one of this thread does not end. */
static void write_patiently(const char *why)
{
    const struct timespec pause = {0, 1000000};

    for (unsigned tries = 0; !report_write(why) && tries < 200; tries++) {
        (void)nanosleep(&pause, NULL);
    }
}

static void finish(void)
{
    if (is_ours() && !__atomic_exchange_n(&is_over, true, __ATOMIC_RELAXED)) {
        sampler_end();
        write_patiently("");
        __atomic_store_n(&is_profiled, false, __ATOMIC_RELAXED);
        objects_ignore(true);
    }
}

__attribute__((destructor)) static void on_exit_of_process(void)
{
    finish();
}

/* These end the process without destructors. In a signal handler, perhaps. */
EXPORTED void _exit(int status)
{
    finish();
    for (;;) {
        (void)sys3(SYS_exit_group, (uint64_t)status, 0, 0);
    }
}

EXPORTED void _Exit(int status)
{
    _exit(status);
}

/* In signal handlers. */
static void on_request(void)
{
    if (is_ours() && !is_over) {
        (void)report_write("it was asked for");
    }
}

static void on_time(void)
{
    if (is_ours() && !is_over) {
        (void)report_write("it is time for one");
    }
}

/* A filter is about to forbid samples or profiles. Signals that are under way are waited for. */
static void before_filter(void)
{
    const struct timespec pause = {0, 2000000};

    if (is_ours() && !is_over) {
        sampler_end();
        (void)nanosleep(&pause, NULL);
        write_patiently("a seccomp filter forbids to go on");
        objects_ignore(true);
    }
}

static void after_no_filter(void)
{
    if (is_ours() && !is_over) {
        objects_ignore(false);
        sampler_resume();
    }
}

static void after_raw_fork(void)
{
    (void)is_ours();
}

/* ---- threads and forks ---- */

struct start {
    void *(*function)(void *);
    void *argument;
};

static void *start_thread(void *context)
{
    struct start start = *(struct start *)context;

    free(context);
    sampler_begin_thread();
    return start.function(start.argument);
}

/* libc has put its own handler in front, with the first thread. */
static void keep_tick(void)
{
    if (confine_allows(CONFINE_TIMERS)) {
        tick_keep();
    }
}

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static create_fn *libc_create(void)
{
    static create_fn *found;
    create_fn *create = __atomic_load_n(&found, __ATOMIC_RELAXED);

    if (create == NULL) {
        *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
        __atomic_store_n(&found, create, __ATOMIC_RELAXED);
    }
    return create;
}

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
                            void *argument)
{
    struct start *start = is_ours() ? malloc(sizeof *start) : NULL;
    int result;

    if (start == NULL) {
        return libc_create()(thread, attributes, function, argument);
    }
    *start = (struct start){function, argument};
    result = libc_create()(thread, attributes, start_thread, start);
    if (result != 0) {
        free(start);
    }
    keep_tick();
    return result;
}

/* C11's, which libc does not make by way of the other. */
struct thrd_start {
    thrd_start_t function;
    void *argument;
};

static int start_thrd(void *context)
{
    struct thrd_start start = *(struct thrd_start *)context;

    free(context);
    sampler_begin_thread();
    return start.function(start.argument);
}

typedef int thrd_create_fn(thrd_t *, thrd_start_t, void *);

EXPORTED int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct thrd_start *start = is_ours() ? malloc(sizeof *start) : NULL;
    thrd_create_fn *create;
    int result;

    *(void **)&create = dlsym(RTLD_NEXT, "thrd_create");
    if (start == NULL) {
        return create(thread, function, argument);
    }
    *start = (struct thrd_start){function, argument};
    result = create(thread, start_thrd, start);
    if (result != thrd_success) {
        free(start);
    }
    keep_tick();
    return result;
}

static void in_parent(void)
{
    objects_after_fork(false);
}

/* With the objects locked. `is_raw`: not by libc, so another thread may have been in malloc(), which stays locked. */
static void begin_child(bool is_raw)
{
    process_forked();
    process_adopt();
    is_over = false;
    profile_forget(!is_raw);
    unknown_forget();
    kernel_maps_keep();
    report_after_fork();
    stacks_after_fork(confine_allows(CONFINE_LOOK));
    objects_after_fork(true);
    sampler_after_fork();
}

static void in_child(void)
{
    begin_child(false);
}

/* ---- begin ---- */

static const struct confine_hooks filter_hooks = {before_filter, after_no_filter, after_raw_fork};

static const char *begin(uint64_t hertz)
{
    const char *wrong;

    (void)rangemap_forgo_membarrier(); /* a filter may come that forbids it */
    kernel_maps_keep();
    if (!process_begin() || !sampler_prepare(1000000000 / hertz) || objects_begin(profile_keep) != 0) {
        return "out of memory";
    }
    wrong = linker_follow(objects_changed);
    if (wrong != NULL) {
        return wrong;
    }
    objects_changed(false); /* what came in between */
    if (pthread_atfork(objects_before_fork, in_parent, in_child) != 0) {
        return "out of memory";
    }
    if (!sampler_begin(on_request)) {
        return "signal 33 cannot be handled";
    }
    __atomic_store_n(&is_profiled, true, __ATOMIC_RELEASE);
    confine_begin(&filter_hooks);
    (void)at_quick_exit(finish);
    sampler_begin_thread();
    return NULL;
}

/* The first process to be profiled leaves its number of filters for its children. */
static void leave_count(void)
{
    struct status status;
    char count[16];

    if (getenv(gate_variable) == NULL && status_read(&status)) {
        (void)snprintf(count, sizeof count, "%u", status.filters);
        (void)setenv(gate_variable, count, 1);
    }
}

/* The variable's number in `value`, which stays as it is without one. False: it makes no sense. */
static bool read_number(const char *variable, unsigned long least, unsigned long most, unsigned long *value)
{
    const char *text = getenv(variable);
    char *end = NULL;

    if (text == NULL || *text == '\0') {
        return true;
    }
    *value = strtoul(text, &end, 10);
    return *end == '\0' && *value >= least && *value <= most;
}

static const char *prepare(void)
{
    unsigned long rate = 100, every = 0, stacks_mb = 256;
    const char *folder = getenv("PCMAP_STACKS");
    const char *out = getenv("PCMAP_OUT"), *wrong;

    if (!preloaded()) {
        return "it ran already when the library was loaded: its threads, and what they are calling, cannot "
               "be "
               "taken over. Start it with LD_PRELOAD";
    }
    if (!read_number("PCMAP_HZ", 1, 1000, &rate)) {
        return "PCMAP_HZ is not a number from 1 to 1000";
    }
    if (!read_number("PCMAP_EVERY", 1, 1000000, &every)) {
        return "PCMAP_EVERY is not a number of seconds, at least 1";
    }
    if (!read_number("PCMAP_STACKS_MB", 1, 65536, &stacks_mb)) {
        return "PCMAP_STACKS_MB is not a number from 1 to 65536";
    }
    leave_count();
    if (gate_is_shut()) {
        return "it was started under a seccomp filter that its parent is not under";
    }
    out = out != NULL && *out != '\0' ? strdup(out) : NULL;
    if (!report_open(out)) { /* a program that has changed its user since the name was given */
        (void)fprintf(stderr, "pcmap: %s: %s; standard error takes its place\n", out, strerror(errno));
        (void)report_open(NULL);
    }
    if (folder != NULL && *folder != '\0') {
        folder = realpath(folder, NULL); /* for children that change the working directory */
        if (folder == NULL || !stacks_begin(folder, stacks_mb << 20, 1000000000 / rate)) {
            return "no file can be made in PCMAP_STACKS";
        }
        objects_watch(stacks_object);
    }
    wrong = begin(rate);
    if (wrong == NULL) {
        sampler_report_every(every, on_time);
    }
    return wrong;
}

__attribute__((constructor)) static void on_load(void)
{
    const char *wrong = prepare();

    if (wrong != NULL) {
        (void)fprintf(stderr, "pcmap: this process is not profiled: %s\n", wrong);
    }
}

/* ---- in between ---- */

EXPORTED int pcmap_find(const void *pc, struct pcmap_symbol *symbol)
{
    struct rangemap_entry entry;
    int result;

    if (!__atomic_load_n(&is_profiled, __ATOMIC_ACQUIRE)) {
        return -EAGAIN;
    }
    if (!sampler_attach_thread()) {
        return -ENOMEM;
    }
    result = objects_find((uint64_t)(uintptr_t)pc, &entry, symbol->function, symbol->object,
                          sizeof symbol->object);
    if (result == 0) {
        symbol->start = entry.start;
        symbol->last = entry.last;
    }
    return result;
}
