// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text without stdio, malloc or locks: for signal handlers, and for moments when a thread that holds them does not
 * run.
 */
#ifndef EXAMPLES_PRELOAD_TEXT_H
#define EXAMPLES_PRELOAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/preload/sys.h"

/*
 * A buffer that is written to `fd` whenever it is full; of what does not fit one without a file (-1) the end is cut
 * off.
 */
struct text {
    int fd;
    bool cut; /* also when a write failed */
    size_t used, size;
    char *buffer;
};

static inline void text_flush(struct text *text)
{
    size_t written = 0;

    while (written < text->used) {
        long result =
            sys3(SYS_write, (uint64_t)text->fd, sys_bits(text->buffer + written), text->used - written);

        if (sys_failed(result) && result != SYS_INTERRUPTED) {
            text->cut = true;
            break;
        }
        written += sys_failed(result) ? 0 : (size_t)result;
    }
    text->used = 0;
}

static inline void text_add(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        if (text->used == text->size && text->fd >= 0) {
            text_flush(text);
        }
        if (text->used == text->size) {
            text->cut = true;
            return;
        }
        text->buffer[text->used++] = *string;
    }
}

/* In `width` columns at the least. */
static inline void text_number_wide(struct text *text, uint64_t number, unsigned base, unsigned width)
{
    char digits[72];
    unsigned at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    while (sizeof digits - 1 - at < width && at > 0) {
        digits[--at] = ' ';
    }
    text_add(text, digits + at);
}

static inline void text_number(struct text *text, uint64_t number, unsigned base)
{
    text_number_wide(text, number, base, 0);
}

#endif
