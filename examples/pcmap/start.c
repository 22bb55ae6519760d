// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of libpcmap.so in a process: begin before main, follow threads and forks, print at the end.
 *
 * A process that ends by exec, _exit() or a signal prints nothing: _exit() may be called from a signal handler, which
 * may have interrupted malloc().
 *
 *   PCMAP_OUT=FILE   append the profile to FILE, in place of standard error
 *   PCMAP_HZ=N       samples per second of a thread's CPU time, 1 to 1000; 100 if not set
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/pcmap/linker.h"
#include "examples/pcmap/objects.h"
#include "examples/pcmap/pcmap.h"
#include "examples/pcmap/profile.h"
#include "examples/pcmap/sampler.h"
#include "examples/pcmap/unknown.h"

#define EXPORTED __attribute__((visibility("default")))

static bool is_profiled;
static pid_t profiled; /* a child that fork() did not make is another process with this one's memory */
static bool is_printed;
static char *output; /* NULL: standard error */

/* ---- end ---- */

static void write_all(const char *text, size_t bytes)
{
    int file = output != NULL ? open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : STDERR_FILENO;

    /* In one go, since other processes may write to the same place. */
    while (bytes > 0 && file >= 0) {
        ssize_t written = write(file, text, bytes);

        if (written < 0 && errno != EINTR) {
            break;
        }
        text += written > 0 ? written : 0;
        bytes -= written > 0 ? (size_t)written : 0;
    }
    if (output != NULL && file >= 0) {
        (void)close(file);
    }
}

static void print(FILE *out)
{
    char program[4096] = "";

    (void)!readlink("/proc/self/exe", program, sizeof program - 1);
    (void)fprintf(out, "pcmap: process %d %s: %" PRIu64 " samples of ", (int)profiled, program,
                  profile_total());
    sampler_remark(out);
    if (profile_total() > 0) {
        profile_print(out);
    }
    if (objects_lost > 0) {
        (void)fprintf(out, "pcmap: %" PRIu64 " objects are missing: out of memory\n", objects_lost);
    }
}

static void finish(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out;

    if (!__atomic_load_n(&is_profiled, __ATOMIC_ACQUIRE) || getpid() != profiled ||
        __atomic_exchange_n(&is_printed, true, __ATOMIC_RELAXED)) {
        return;
    }
    __atomic_store_n(&is_profiled, false, __ATOMIC_RELAXED); /* from now on objects go unnoticed */
    sampler_end();
    objects_end(profile_add);
    unknown_explain(profile_add_unknown);
    out = open_memstream(&text, &bytes);
    if (out != NULL) {
        print(out);
        (void)fclose(out);
        write_all(text, bytes);
    }
    free(text);
}

__attribute__((destructor)) static void on_exit_of_process(void)
{
    finish();
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
    struct start *start = __atomic_load_n(&is_profiled, __ATOMIC_ACQUIRE) ? malloc(sizeof *start) : NULL;
    int result;

    if (start == NULL) {
        return libc_create()(thread, attributes, function, argument);
    }
    *start = (struct start){function, argument};
    result = libc_create()(thread, attributes, start_thread, start);
    if (result != 0) {
        free(start);
    }
    return result;
}

static void in_parent(void)
{
    objects_after_fork(false);
}

static void in_child(void)
{
    profiled = getpid();
    is_printed = false;
    profile_forget();
    unknown_forget();
    objects_after_fork(true);
    sampler_after_fork();
}

/* ---- begin ---- */

static const char *begin(uint64_t hertz)
{
    const char *wrong;

    if (!sampler_prepare(1000000000 / hertz) || objects_begin(profile_add) != 0) {
        return "out of memory";
    }
    wrong = linker_follow(objects_changed);
    if (wrong != NULL) {
        return wrong;
    }
    objects_changed(false); /* what came in between */
    if (!sampler_begin() || pthread_atfork(objects_before_fork, in_parent, in_child) != 0) {
        return "out of memory";
    }
    profiled = getpid();
    __atomic_store_n(&is_profiled, true, __ATOMIC_RELEASE);
    sampler_begin_thread();
    return NULL;
}

__attribute__((constructor)) static void on_load(void)
{
    const char *out = getenv("PCMAP_OUT"), *hertz = getenv("PCMAP_HZ"), *wrong = NULL;
    char *end = NULL;
    unsigned long rate = hertz != NULL ? strtoul(hertz, &end, 10) : 100;

    if (rate < 1 || rate > 1000 || (end != NULL && *end != '\0')) {
        wrong = "PCMAP_HZ is not a number from 1 to 1000";
    }
    if (wrong == NULL && out != NULL && *out != '\0') {
        output = strdup(out);
        wrong = output != NULL ? NULL : "out of memory";
    }
    if (wrong == NULL) {
        wrong = begin(rate);
    }
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
