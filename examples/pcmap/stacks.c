// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* pthread_getattr_np, REG_RIP */
#include "examples/pcmap/stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "examples/pcmap/confine.h"
#include "examples/pcmap/objects.h"
#include "examples/pcmap/stack_file.h"
#include "examples/preload/sys.h"

enum { COPIED_BYTES = 32 << 10, ROOM_BYTES = 256 << 10 };

static struct stack_file *file; /* NULL: stacks are not recorded */
static const char *file_folder;
static uint64_t file_bytes, sampling_interval_ns;
static uint64_t ready_bytes; /* of the file, from its beginning: a store to them finds a block of the disk */

/* Where the thread's stack is; nothing in it: not known. */
static _Thread_local struct {
    uint64_t start, end;
    uint32_t tid;
} stack __attribute__((tls_model("initial-exec")));

/* ---- the file ---- */

/*
 * Makes the file's first `bytes` ready. False: the disk is full, which a store to a hole would learn by SIGBUS, in the
 * midst of somebody else's program. A kernel before 5.14 cannot be asked, nor can one behind a filter: what is stored
 * there is stored at that risk. Async-signal-safe; threads that do it together do the same.
 */
static bool make_ready(struct stack_file *of, uint64_t bytes)
{
    uint64_t ready = __atomic_load_n(&ready_bytes, __ATOMIC_RELAXED);

    while (ready < bytes) {
        uint64_t more = file_bytes - ready < ROOM_BYTES ? file_bytes - ready : ROOM_BYTES;
        long result = confine_allows(CONFINE_ROOM)
                          ? sys3(SYS_madvise, sys_bits(of) + ready, more, MADV_POPULATE_WRITE)
                          : -EINVAL;

        if (result == -EFAULT || result == -ENOMEM) {
            return false;
        }
        if (__atomic_compare_exchange_n(&ready_bytes, &ready, ready + more, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            ready += more;
        }
    }
    return true;
}

/* A longer file would be answered by SIGXFSZ. */
static bool may_have(uint64_t bytes)
{
    struct rlimit limit;

    errno = EFBIG;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes;
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* NULL: there is no room, and no file. */
static struct stack_file *map_file(const char *path)
{
    int fd = may_have(file_bytes) ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    struct stack_file *mapped = MAP_FAILED;

    if (fd < 0) {
        return NULL;
    }
    if (ftruncate(fd, (off_t)file_bytes) == 0) {
        mapped = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    (void)close(fd);
    ready_bytes = 0;
    if (mapped != MAP_FAILED && make_ready(mapped, sizeof *mapped)) {
        return mapped;
    }
    if (mapped != MAP_FAILED) {
        (void)munmap(mapped, file_bytes);
    }
    (void)unlink(path);
    return NULL;
}

static bool open_file(void)
{
    char path[4096];
    struct stack_file *mapped;

    (void)snprintf(path, sizeof path, "%s/%d.stacks", file_folder, (int)getpid());
    mapped = map_file(path);
    if (mapped == NULL) {
        return false;
    }
    *mapped = (struct stack_file){.bytes = file_bytes,
                                  .used = sizeof *mapped,
                                  .interval_ns = sampling_interval_ns,
                                  .pid = (uint32_t)getpid(),
                                  .begun_ns = monotonic_ns()};
    (void)!readlink("/proc/self/exe", mapped->program, sizeof mapped->program - 1);
    __atomic_store_n(&mapped->magic, STACK_FILE_MAGIC, __ATOMIC_RELEASE);
    __atomic_store_n(&file, mapped, __ATOMIC_RELEASE);
    return true;
}

bool stacks_begin(const char *folder, uint64_t bytes, uint64_t interval_ns)
{
    file_folder = folder;
    file_bytes = bytes;
    sampling_interval_ns = interval_ns;
    return open_file();
}

void stacks_after_fork(bool may_open)
{
    struct stack_file *parents = file;

    file = NULL;
    if (parents != NULL && may_open) {
        (void)munmap(parents, file_bytes);
        if (open_file()) {
            if (stack.end != 0) {
                stacks_note_thread();
            }
            objects_tell(stacks_object);
        }
    }
}

/* Room for a record, with its size; NULL: the file or the disk is full, or there is no file. */
static void *take_place(uint64_t bytes)
{
    struct stack_file *to = __atomic_load_n(&file, __ATOMIC_ACQUIRE);
    struct stack_record *record;
    uint64_t at;

    if (to == NULL) {
        return NULL;
    }
    bytes = (bytes + 7) & ~UINT64_C(7);
    at = __atomic_load_n(&to->used, __ATOMIC_RELAXED);
    do {
        if (at + bytes > to->bytes || !make_ready(to, at + bytes)) {
            return NULL;
        }
    } while (
        !__atomic_compare_exchange_n(&to->used, &at, at + bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    record = (void *)((char *)to + at);
    record->bytes = (uint32_t)bytes;
    return record;
}

static void finish(struct stack_record *record, enum stack_record_kind kind)
{
    __atomic_store_n(&record->kind, (uint32_t)kind, __ATOMIC_RELEASE);
}

/* ---- samples ---- */

void stacks_note_thread(void)
{
    pthread_attr_t attributes;
    void *start;
    size_t bytes;

    /* After a fork, which need not be libc's: nothing of libc's is called that takes a lock. */
    if (stack.end != 0) {
        stack.tid = (uint32_t)sys3(SYS_gettid, 0, 0, 0);
        return;
    }
    if (file == NULL || pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return;
    }
    if (pthread_attr_getstack(&attributes, &start, &bytes) == 0) {
        stack.start = sys_bits(start);
        stack.end = stack.start + bytes;
        stack.tid = (uint32_t)gettid();
    }
    (void)pthread_attr_destroy(&attributes);
}

/* What may be read from the stack pointer on: on another stack than the thread's own, the rest of the page. */
static uint64_t readable_bytes(uint64_t pointer)
{
    uint64_t end = pointer >= stack.start && pointer < stack.end ? stack.end : (pointer | (SYS_PAGE - 1)) + 1;

    return end - pointer < COPIED_BYTES ? end - pointer : COPIED_BYTES;
}

void stacks_sample(const void *context, uint64_t samples)
{
    static const uint8_t numbers[STACK_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                     REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                     REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t pointer = (uint64_t)registers[REG_RSP], bytes;
    struct stack_sample *sample;

    if (file == NULL) {
        return;
    }
    bytes = readable_bytes(pointer);
    sample = take_place(sizeof *sample + bytes);
    if (sample == NULL) {
        (void)__atomic_fetch_add(&file->dropped, samples, __ATOMIC_RELAXED);
        return;
    }
    sample->tid = stack.tid;
    sample->samples = (uint32_t)samples;
    sample->stack_bytes = bytes;
    for (unsigned i = 0; i < STACK_REGISTERS; i++) {
        sample->registers[i] = (uint64_t)registers[numbers[i]];
    }
    memcpy(sample + 1, (const void *)(uintptr_t)pointer, bytes);
    finish(&sample->record, STACK_SAMPLE);
}

/* ---- objects ---- */

void stacks_object(const struct object *object, bool is_gone)
{
    size_t bytes = strlen(object->name) + 1;
    struct stack_object *record = take_place(sizeof *record + bytes);

    if (record != NULL) {
        record->base = object->base;
        record->start = object->start;
        record->last = object->last;
        memcpy(record + 1, object->name, bytes);
        finish(&record->record, is_gone ? STACK_GONE : STACK_OBJECT);
    }
}
