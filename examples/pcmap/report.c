// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* struct dl_phdr_info, in what objects.h brings */
#include "examples/pcmap/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "examples/pcmap/confine.h"
#include "examples/pcmap/objects.h"
#include "examples/pcmap/profile.h"
#include "examples/pcmap/sampler.h"
#include "examples/preload/kept.h"

static const char *file_path; /* NULL: standard error */
static struct kept file = KEPT_NONE, error_of_start = KEPT_NONE;
static char program[4096]; /* asked for once: later it may be forbidden */
static bool is_writing;

/* ---- where to ---- */

/* The descriptor, or a negative errno. */
static long open_file(void)
{
    return sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits(file_path),
                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

bool report_open(const char *path)
{
    long bytes = sys3(SYS_readlink, sys_bits("/proc/self/exe"), sys_bits(program), sizeof program - 1);
    long opened;

    program[sys_failed(bytes) ? 0 : bytes] = '\0';
    file_path = path;
    if (path == NULL) {
        file = kept_copy(STDERR_FILENO);
        error_of_start = file;
        error_of_start.fd = STDERR_FILENO;
        return true; /* programs are started without one */
    }
    opened = open_file();
    errno = sys_failed(opened) ? (int)-opened : errno;
    file = kept_take(opened);
    return file.fd >= 0;
}

void report_after_fork(void)
{
    if (file_path == NULL && file.is_stream) {
        kept_close(&file);
    }
}

/* The descriptor, or -1: the program has closed it, and there is no other way to what it was. */
static int find_file(void)
{
    if (kept_is_there(&file)) {
        return (int)file.fd;
    }
    if (file_path != NULL && confine_allows(CONFINE_LOOK)) {
        file = kept_take(open_file());
        return (int)file.fd;
    }
    return file_path == NULL && kept_is(&error_of_start, STDERR_FILENO) ? STDERR_FILENO : -1;
}

/* ---- what ---- */

static void print(struct text *out, const struct profile *profile, const char *why)
{
    text_add(out, "pcmap: process ");
    text_number(out, (uint64_t)sys3(SYS_getpid, 0, 0, 0), 10);
    text_add(out, " ");
    text_add(out, program);
    text_add(out, ": ");
    text_number(out, profile_total(profile), 10);
    text_add(out, " samples of ");
    sampler_remark(out, profile_total(profile));
    if (*why != '\0') {
        text_add(out, "pcmap: so far: ");
        text_add(out, why);
        text_add(out, "\n");
    }
    profile_print(profile, out);
    if (objects_lost > 0) {
        text_add(out, "pcmap: objects are missing, for want of memory: ");
        text_number(out, objects_lost, 10);
        text_add(out, "\n");
    }
}

/* Bytes of text that the rows may come to. */
static size_t text_bytes(const struct profile *profile)
{
    size_t bytes = sizeof program + 2048;

    for (size_t i = 0; i < profile->count; i++) {
        bytes += strlen(profile->row[i].function) + strlen(profile->row[i].object) + 96;
    }
    return bytes;
}

/* ---- memory of the kernel's ---- */

static void *take_memory(size_t bytes)
{
    struct sys_args args = {{0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
    long result = sys_call(SYS_mmap, &args);

    return sys_failed(result) ? NULL : (void *)result;
}

static void give_memory(void *memory, size_t bytes)
{
    if (memory != NULL) {
        (void)sys3(SYS_munmap, sys_bits(memory), bytes, 0);
    }
}

/* In one go if it can be, since other processes may write to the same place. */
static void write_profile(const struct profile *profile, const char *why, int to)
{
    struct text text = {.fd = to, .size = text_bytes(profile)};

    text.buffer = take_memory(text.size);
    if (text.buffer != NULL) {
        print(&text, profile, why);
        text_flush(&text);
        give_memory(text.buffer, text.size);
    }
}

/* ---- */

/* What one report needs beside its text. */
static bool write_locked(const char *why, int to)
{
    size_t rows, names_bytes, bytes;
    struct kernel_maps *maps;
    struct profile profile;

    profile_measure(&rows, &names_bytes);
    bytes = rows * sizeof *profile.row + sizeof *maps + names_bytes;
    profile = (struct profile){.row = take_memory(bytes), .capacity = rows, .names_size = names_bytes};
    if (profile.row == NULL) {
        return false;
    }
    maps = (void *)(profile.row + rows);
    profile.names = (char *)(maps + 1);
    profile_gather(&profile, confine_allows(CONFINE_LOOK) ? maps : NULL);
    write_profile(&profile, why, to);
    give_memory(profile.row, bytes);
    return true;
}

bool report_write(const char *why)
{
    bool done = false;
    int to;

    if (!confine_allows(CONFINE_REPORT) || __atomic_exchange_n(&is_writing, true, __ATOMIC_ACQUIRE)) {
        return false;
    }
    to = find_file();
    if (to >= 0 && objects_try_lock()) {
        done = write_locked(why, to);
        objects_unlock();
    }
    __atomic_store_n(&is_writing, false, __ATOMIC_RELEASE);
    return done || to < 0;
}
