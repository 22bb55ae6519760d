// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/words.h"

#include <string.h>

enum { WORDS = 1 << 14, HISTORIES = 1 << 10 };

static struct word words[WORDS];
static struct history histories[HISTORIES];
static unsigned words_used, histories_used;
static uint32_t run;

void words_reset(void)
{
    run++;
    words_used = 0;
    histories_used = 0;
}

struct word *words_at(const void *address)
{
    uintptr_t key = (uintptr_t)address / WORD_BYTES;
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) % WORDS;

    while (words[at].run == run && words[at].key != key) {
        at = (at + 1) % WORDS;
    }
    if (words[at].run != run) {
        if (words_used == WORDS / 2) {
            return NULL;
        }
        words_used++;
        words[at] = (struct word){.key = key, .run = run};
    }
    return &words[at];
}

static unsigned half_of(const void *address)
{
    return (uintptr_t)address % WORD_BYTES / (WORD_BYTES / 2);
}

struct history *words_history(const struct word *word, const void *address)
{
    return word->half[half_of(address)];
}

struct history *words_begin(struct word *word, const void *address, unsigned bytes)
{
    struct history **history = &word->half[half_of(address)];

    if (*history == NULL && histories_used < HISTORIES) {
        *history = &histories[histories_used++];
        (*history)->bytes = bytes;
        (*history)->count = 1;
        (*history)->message[0] = (struct message){.value = words_value(address, bytes)};
    }
    return *history;
}

uint64_t words_value(const void *address, unsigned bytes)
{
    return bytes == WORD_BYTES ? *(const uint64_t *)address : *(const uint32_t *)address;
}

void words_set_value(void *address, unsigned bytes, uint64_t value)
{
    if (bytes == WORD_BYTES) {
        *(uint64_t *)address = value;
    } else {
        *(uint32_t *)address = (uint32_t)value;
    }
}

struct message *history_insert(struct history *history, unsigned at)
{
    struct message *message = history->message;

    if (history->count == HISTORY_MESSAGES) {
        history->count--;
        at--;
        memmove(message, message + 1, history->count * sizeof *message);
    }
    memmove(message + at + 1, message + at, (history->count - at) * sizeof *message);
    history->count++;
    message[at] = (struct message){0};
    return &message[at];
}
