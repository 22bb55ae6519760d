// SPDX-License-Identifier: BSD-2-Clause
/* Text to a file descriptor, without stdio: its locks may be held by a thread that does not run. */
#ifndef EXAMPLES_VMWATCH_TEXT_H
#define EXAMPLES_VMWATCH_TEXT_H

#include <stdint.h>

#include "examples/vmwatch/sys.h"

struct text {
    int fd;
    unsigned used;
    char buffer[1024];
};

static inline void text_flush(struct text *text)
{
    (void)sys3(SYS_write, (uint64_t)text->fd, sys_bits(text->buffer), text->used);
    text->used = 0;
}

static inline void text_add(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        if (text->used == sizeof text->buffer) {
            text_flush(text);
        }
        text->buffer[text->used++] = *string;
    }
}

static inline void text_number(struct text *text, uint64_t number, unsigned base)
{
    char digits[24];
    unsigned at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    text_add(text, digits + at);
}

#endif
