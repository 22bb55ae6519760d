// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* dladdr */
#include "rangemap/checked/message.h"

#if defined(RM_IS_CHECKED)
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct rm_checked_settings rm_checked_settings = {.limit_ns = 1000000000};

/* When the program starts. */
static const char *setting(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

static bool is_on(const char *name)
{
    const char *value = setting(name);

    return value != NULL && *value != '\0' && *value != '0';
}

void rm_checked_settings_read(void)
{
    const char *limit_ms = setting("RANGEMAP_CHECKED_LIMIT_MS");

    if (limit_ms != NULL) {
        rm_checked_settings.limit_ns = strtoull(limit_ms, NULL, 10) * 1000000;
    }
    rm_checked_settings.lenient = is_on("RANGEMAP_CHECKED_LENIENT");
    rm_checked_settings.poison = is_on("RANGEMAP_CHECKED_POISON");
}

/* Of the thread that comes first: the others wait for the end. */
static struct {
    atomic_flag taken;
    size_t length;
    char text[8192];
} message = {.taken = ATOMIC_FLAG_INIT};

__attribute__((format(printf, 1, 0))) static void say_list(const char *format, va_list arguments)
{
    size_t room = sizeof message.text - message.length;
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): both callers have started it */
    int length = vsnprintf(message.text + message.length, room, format, arguments);

    if (length > 0) {
        message.length += (size_t)length < room ? (size_t)length : room - 1;
    }
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say_list(format, arguments);
    va_end(arguments);
}

/* A return address with what is known of it. */
static void say_place(const char *words, const void *where)
{
    Dl_info info;

    if (where == NULL) {
        return;
    }
    say("rangemap:   %s %p", words, where);
    if (dladdr(where, &info) != 0 && info.dli_fname != NULL) {
        if (info.dli_sname != NULL) {
            say(", %s()", info.dli_sname);
        }
        say(" in %s+%#tx", info.dli_fname, (const char *)where - (const char *)info.dli_fbase);
    }
    say("\n");
}

static void say_sections(const struct rm_checked_thread *thread)
{
    unsigned open = atomic_load(&thread->open);

    say("rangemap:   sections of thread %d:%s\n", atomic_load(&thread->tid), open == 0 ? " none" : "");
    for (unsigned i = 0; i < open && i < RM_CHECKED_SECTIONS; i++) {
        say_place(thread->section[i].version != 0 ? "  snapshot begun at" : "  begun at",
                  thread->section[i].begun_at);
    }
}

static void say_rest(const struct rm_checked_fault *fault)
{
    say("\n");
    say_place("at", fault->at);
    say_place(fault->also, fault->also_at);
    if (fault->thread != NULL) {
        say_sections(fault->thread);
    }
    say("rangemap:   %s\nrangemap:   (addr2line -fe FILE OFFSET tells the line of FILE+OFFSET)\n",
        fault->advice);
}

void rm_checked_stop(const struct rm_checked_fault *fault, const char *format, ...)
{
    va_list arguments;

    while (atomic_flag_test_and_set(&message.taken)) {
        (void)pause();
    }
    say("rangemap: MISTAKE: ");
    va_start(arguments, format);
    say_list(format, arguments);
    va_end(arguments);
    say_rest(fault);
    (void)!write(STDERR_FILENO, message.text, message.length);
    abort();
}
#endif
