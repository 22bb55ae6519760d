// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/pcmap/stack_file.h"
#include "examples/pcmap/unwind.h"

enum { RECORD_MAX_BYTES = 1 << 20, STACK_TEXT_BYTES = 16384 };

struct record {
    int fd;
    uint64_t at; /* the next record */
    uint64_t unfinished;
    uint64_t begun_ns;      /* of the recording that this is in */
    bool is_stuck;          /* at a place whose size is not known */
    struct stack_file file; /* its header as of the last look */
    struct unwind *unwind;
    uint64_t place[RECORD_MAX_BYTES / sizeof(uint64_t)]; /* the record that is being taken */
};

/* All of them, or false. */
static bool read_bytes(const struct record *record, void *to, size_t bytes, uint64_t at)
{
    return pread(record->fd, to, bytes, (off_t)at) == (ssize_t)bytes;
}

static bool read_header(struct record *record)
{
    return read_bytes(record, &record->file, sizeof record->file, 0) &&
           record->file.magic == STACK_FILE_MAGIC;
}

/* At the first record, with nothing known of the process. */
static bool begin(struct record *record)
{
    unwind_free(record->unwind);
    record->unwind = unwind_new();
    record->at = sizeof record->file;
    record->unfinished = 0;
    record->begun_ns = record->file.begun_ns;
    return record->unwind != NULL;
}

struct record *record_open(const char *path)
{
    struct record *record = calloc(1, sizeof *record);
    int error = 0;

    if (record == NULL) {
        return NULL;
    }
    record->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (record->fd < 0) {
        error = errno;
    } else if (read_header(record)) {
        if (begin(record)) {
            return record;
        }
        error = ENOMEM;
    }
    record_close(record);
    errno = error;
    return NULL;
}

void record_close(struct record *record)
{
    if (record->fd >= 0) {
        (void)close(record->fd);
    }
    unwind_free(record->unwind);
    free(record);
}

/* ---- one record ---- */

static void take_sample(struct record *record, const struct stack_sample *sample, record_stack_fn *take,
                        void *context)
{
    char text[STACK_TEXT_BYTES];

    if (sample->record.bytes < sizeof *sample ||
        sample->stack_bytes > sample->record.bytes - sizeof *sample) {
        record->unfinished++;
        return;
    }
    unwind_sample(record->unwind, sample, text, sizeof text);
    take(text, sample->samples, context);
}

static bool is_string_inside(const struct stack_record *record)
{
    size_t before = sizeof(struct stack_object);

    return record->bytes > before &&
           memchr((const char *)record + before, '\0', record->bytes - before) != NULL;
}

static void take_place(struct record *record, record_stack_fn *take, void *context)
{
    const void *place = record->place;
    const struct stack_record *head = place;

    if (head->kind == STACK_SAMPLE) {
        take_sample(record, place, take, context);
    } else if (head->kind != STACK_OBJECT && head->kind != STACK_GONE) {
        record->unfinished++;
    } else if (is_string_inside(head)) {
        unwind_object(record->unwind, place, head->kind == STACK_GONE);
    }
}

/* Its head before the rest: what is finished by then is read whole. False: it is not there, or makes no sense. */
static bool read_place(struct record *record, uint64_t end)
{
    struct stack_record *head = (void *)record->place;

    return end - record->at >= sizeof *head && read_bytes(record, head, sizeof *head, record->at) &&
           head->bytes >= sizeof *head && head->bytes % 8 == 0 && head->bytes <= end - record->at &&
           head->bytes <= sizeof record->place &&
           read_bytes(record, head + 1, head->bytes - sizeof *head, record->at + sizeof *head);
}

/* ---- all of them ---- */

bool record_take(struct record *record, record_stack_fn *take, void *context)
{
    const struct stack_record *head = (const void *)record->place;
    bool is_same = true;
    uint64_t end;

    record->is_stuck = false;
    if (!read_header(record)) {
        return true; /* another program is about to begin */
    }
    end = record->file.used < record->file.bytes ? record->file.used : record->file.bytes;
    if (record->file.begun_ns != record->begun_ns || end < record->at) {
        is_same = false;
        if (!begin(record)) {
            return false;
        }
    }
    while (record->at < end && !record->is_stuck) {
        record->is_stuck = !read_place(record, end);
        if (!record->is_stuck) {
            take_place(record, take, context);
            record->at += head->bytes;
        }
    }
    return is_same;
}

struct record_losses record_lost(const struct record *record)
{
    return (struct record_losses){record->file.dropped, record->unfinished + record->is_stuck};
}
