// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* twalk_r, tdestroy */
#include "examples/pcmap/profile.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct row {
    uint64_t samples;
    char *function, *object; /* in one block with the row */
};

/* What is not in a function, and why. */
enum { NAMED, SECTION, UNKNOWN, CLOSING, NO_MEMORY, CLASSES };

static void *rows; /* of tsearch(), by object and function */
static size_t row_count;
static uint64_t samples_of[CLASSES];

static int by_name(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->object, right->object);

    return order != 0 ? order : strcmp(left->function, right->function);
}

static struct row *new_row(const char *function, const char *object)
{
    size_t function_bytes = strlen(function) + 1, object_bytes = strlen(object) + 1;
    struct row *row = malloc(sizeof *row + function_bytes + object_bytes);

    if (row != NULL) {
        row->samples = 0;
        row->function = (char *)(row + 1);
        row->object = row->function + function_bytes;
        memcpy(row->function, function, function_bytes);
        memcpy(row->object, object, object_bytes);
    }
    return row;
}

static void add(const char *function, const char *object, uint64_t samples, unsigned class)
{
    struct row *row = samples > 0 ? new_row(function, object) : NULL;
    struct row **found = row != NULL ? tsearch(row, &rows, by_name) : NULL;

    if (found == NULL) {
        samples_of[NO_MEMORY] += samples;
        free(row);
        return;
    }
    (*found)->samples += samples;
    samples_of[class] += samples;
    if (*found == row) {
        row_count++;
    } else {
        free(row);
    }
}

void profile_add(const char *function, const char *object, uint64_t samples, uint64_t in_doubt, bool gone)
{
    add(function, object, gone ? samples : samples + in_doubt, *function == '[' ? SECTION : NAMED);
    add("[closing]", "memory that the linker was unmapping", gone ? in_doubt : 0, CLOSING);
}

void profile_add_unknown(const char *memory, uint64_t samples)
{
    add("[no-object]", memory, samples, UNKNOWN);
}

uint64_t profile_total(void)
{
    uint64_t total = 0;

    for (unsigned class = 0; class < CLASSES; class ++) {
        total += samples_of[class];
    }
    return total;
}

void profile_forget(void)
{
    tdestroy(rows, free);
    rows = NULL;
    row_count = 0;
    memset(samples_of, 0, sizeof samples_of);
}

/* ---- printing ---- */

struct list {
    const struct row **row;
    size_t count;
};

static void collect(const void *node, VISIT visit, void *closure)
{
    struct list *list = closure;

    if (visit == postorder || visit == leaf) {
        list->row[list->count++] = *(const struct row *const *)node;
    }
}

static int by_samples(const void *a, const void *b)
{
    const struct row *left = *(const struct row *const *)a, *right = *(const struct row *const *)b;

    if (left->samples != right->samples) {
        return left->samples > right->samples ? -1 : 1;
    }
    return by_name(left, right);
}

static void explain(FILE *out)
{
    static const char *const meaning[CLASSES] = {
        "in functions",
        "in [.text] and the like: code of an object that no symbol names, because the object is stripped",
        "in [no-object]: code outside the linker's list, such as that of just-in-time compilers",
        "in [closing]: where an object was being unmapped",
        "without a row: out of memory",
    };

    for (unsigned class = 0; class < CLASSES; class ++) {
        if (samples_of[class] > 0) {
            (void)fprintf(out, "%9" PRIu64 "  %s\n", samples_of[class], meaning[class]);
        }
    }
}

void profile_print(FILE *out)
{
    struct list list = {calloc(row_count + 1, sizeof *list.row), 0};
    double total = (double)profile_total();

    if (list.row == NULL) {
        (void)fprintf(out, "pcmap: out of memory\n");
        return;
    }
    twalk_r(rows, collect, &list);
    qsort(list.row, list.count, sizeof *list.row, by_samples);
    (void)fprintf(out, "%9s  %7s  %-40s  %s\n", "samples", "percent", "function", "object");
    for (size_t i = 0; i < list.count; i++) {
        const struct row *row = list.row[i];

        (void)fprintf(out, "%9" PRIu64 "  %7.2f  %-40s  %s\n", row->samples,
                      (double)row->samples * 100 / total, row->function, row->object);
    }
    explain(out);
    free(list.row);
}
