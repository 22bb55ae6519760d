// SPDX-License-Identifier: BSD-2-Clause
/* Strings and numbers in them; maps of bits. */
#include <ctype.h>
#include <errno.h>
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <stdlib.h>
#include <sys/random.h>

ssize_t strscpy(char *to, const char *from, size_t bytes)
{
    size_t length = strnlen(from, bytes);

    if (bytes == 0) {
        return -E2BIG;
    }
    memcpy(to, from, length == bytes ? bytes - 1 : length + 1);
    if (length == bytes) {
        to[bytes - 1] = 0;
    }
    return length == bytes ? -E2BIG : (ssize_t)length;
}

static size_t without_newline(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && text[length - 1] == '\n' ? length - 1 : length;
}

bool sysfs_streq(const char *a, const char *b)
{
    size_t length = without_newline(a);

    return length == without_newline(b) && memcmp(a, b, length) == 0;
}

char *skip_spaces(const char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    return (char *)(uintptr_t)text;
}

char *strim(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = 0;
    }
    return skip_spaces(text);
}

char *strreplace(char *text, char old, char replacement)
{
    for (char *at = text; *at != 0; at++) {
        if (*at == old) {
            *at = replacement;
        }
    }
    return text;
}

int match_string(const char *const *array, size_t n, const char *text)
{
    for (size_t i = 0; i < n && array[i] != NULL; i++) {
        if (strcmp(array[i], text) == 0) {
            return (int)i;
        }
    }
    return -EINVAL;
}

bool mem_is_zero(const void *start, size_t bytes)
{
    const unsigned char *byte = start;

    while (bytes > 0 && *byte == 0) {
        byte++, bytes--;
    }
    return bytes == 0;
}

/* ---- numbers ---- */

/* Whether nothing but one newline is left. */
static bool is_end(const char *text)
{
    return *text == 0 || (*text == '\n' && text[1] == 0);
}

int kstrtoull(const char *text, unsigned base, unsigned long long *result)
{
    unsigned long long value;
    char *end;

    text += *text == '+';
    if (!isalnum((unsigned char)*text)) {
        return -EINVAL;
    }
    errno = 0;
    value = strtoull(text, &end, (int)base);
    if (errno == ERANGE || end == text || !is_end(end)) {
        return errno == ERANGE ? -ERANGE : -EINVAL;
    }
    *result = value;
    return 0;
}

int kstrtoll(const char *text, unsigned base, long long *result)
{
    unsigned long long value;
    bool negative = *text == '-';
    int error = kstrtoull(text + negative, base, &value);

    if (error == 0 && value > (unsigned long long)S64_MAX + negative) {
        error = -ERANGE;
    }
    if (error == 0) {
        *result = (long long)(negative ? 0 - value : value);
    }
    return error;
}

int kstrtobool(const char *text, bool *result)
{
    bool is_on = text != NULL &&
                 (strchr("yYtT1", text[0]) != NULL || ((text[0] | 32) == 'o' && (text[1] | 32) == 'n'));
    bool is_off = text != NULL &&
                  (strchr("nNfF0", text[0]) != NULL || ((text[0] | 32) == 'o' && (text[1] | 32) == 'f'));

    if (text == NULL || text[0] == 0 || (!is_on && !is_off)) {
        return -EINVAL;
    }
    *result = is_on;
    return 0;
}

/* ---- bits ---- */

unsigned long find_next_bit(const unsigned long *map, unsigned long bits, unsigned long from)
{
    while (from < bits && !test_bit((long)from, map)) {
        from++;
    }
    return from < bits ? from : bits;
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long bits, unsigned long from)
{
    while (from < bits && test_bit((long)from, map)) {
        from++;
    }
    return from < bits ? from : bits;
}

unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long bits, unsigned long start,
                                         unsigned count, unsigned long mask)
{
    for (;;) {
        unsigned long taken;

        start = (find_next_zero_bit(map, bits, start) + mask) & ~mask;
        if (start >= bits || count > bits - start) {
            return bits;
        }
        taken = find_next_bit(map, start + count, start);
        if (taken == start + count) {
            return start;
        }
        start = taken + 1;
    }
}

/* ---- random numbers ---- */

void get_random_bytes(void *to, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = getrandom((char *)to + done, bytes - done, 0);

        done += got > 0 ? (size_t)got : 0;
    }
}

u32 get_random_u32(void)
{
    u32 number;

    get_random_bytes(&number, sizeof number);
    return number;
}
