// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* twalk_r, tdestroy */
#include "examples/pcmap/profile.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "examples/pcmap/objects.h"
#include "examples/pcmap/unknown.h"

/* ---- what closed objects had: changed with the objects locked ---- */

struct kept {
    struct profile_row row; /* its names are in one block with it */
    uint64_t in_doubt;
};

static void *kept; /* of tsearch(), by object and function */
static size_t kept_count;
static uint64_t kept_no_room;

static int by_name(const struct profile_row *left, const struct profile_row *right)
{
    int order = strcmp(left->object, right->object);

    return order != 0 ? order : strcmp(left->function, right->function);
}

static int by_kept_name(const void *a, const void *b)
{
    return by_name(&((const struct kept *)a)->row, &((const struct kept *)b)->row);
}

static struct kept *new_kept(const char *function, const char *object)
{
    size_t function_bytes = strlen(function) + 1, object_bytes = strlen(object) + 1;
    struct kept *new = malloc(sizeof *new + function_bytes + object_bytes);
    char *names = (char *)(new + 1);

    if (new != NULL) {
        *new = (struct kept){.row = {0, names, names + function_bytes}, .in_doubt = 0};
        memcpy(names, function, function_bytes);
        memcpy(names + function_bytes, object, object_bytes);
    }
    return new;
}

void profile_keep(const char *function, const char *object, uint64_t samples, uint64_t in_doubt, bool gone)
{
    struct kept *new = new_kept(function, object);
    struct kept **found = new != NULL ? tsearch(new, &kept, by_kept_name) : NULL;

    if (found == NULL) {
        kept_no_room += samples + in_doubt;
        free(new);
        return;
    }
    (*found)->row.samples += gone ? samples : samples + in_doubt;
    (*found)->in_doubt += gone ? in_doubt : 0;
    if (*found == new) {
        kept_count++;
    } else {
        free(new);
    }
}

void profile_forget(bool may_free)
{
    if (may_free) {
        tdestroy(kept, free);
    }
    kept = NULL;
    kept_count = 0;
    kept_no_room = 0;
}

/* ---- gathering: one profile at a time ---- */

static struct profile *gathered;
static size_t visited;

static void add(const char *function, const char *object, uint64_t samples, enum profile_class class)
{
    if (samples > 0 && gathered->count == gathered->capacity) {
        class = PROFILE_NO_ROOM;
    } else if (samples > 0) {
        gathered->row[gathered->count++] = (struct profile_row){samples, function, object};
    }
    gathered->samples_of[class] += samples;
}

static void add_function(const char *function, const char *object, uint64_t samples, uint64_t in_doubt,
                         bool gone)
{
    add(function, object, gone ? samples : samples + in_doubt,
        *function == '[' ? PROFILE_SECTION : PROFILE_NAMED);
    add("[closing]", "memory that the linker was unmapping", gone ? in_doubt : 0, PROFILE_CLOSING);
}

static void add_kept(const void *node, VISIT visit, void *unused)
{
    const struct kept *found = *(const struct kept *const *)node;

    (void)unused;
    if (visit == postorder || visit == leaf) {
        add_function(found->row.function, found->row.object, found->row.samples, found->in_doubt, true);
    }
}

static void add_unknown(const char *memory, uint64_t samples)
{
    size_t bytes = strlen(memory) + 1;
    char *name = gathered->names + gathered->names_used;

    if (bytes > gathered->names_size - gathered->names_used) {
        add("[no-object]", "", samples, PROFILE_UNKNOWN);
        return;
    }
    memcpy(name, memory, bytes);
    gathered->names_used += bytes;
    add("[no-object]", name, samples, PROFILE_UNKNOWN);
}

static void count_function(const char *function, const char *object, uint64_t samples, uint64_t in_doubt,
                           bool gone)
{
    (void)function;
    (void)object;
    (void)samples;
    (void)in_doubt;
    (void)gone;
    visited += 2;
}

enum { SPARE_ROWS = 1024 }; /* for functions that get their first samples meanwhile */

void profile_measure(size_t *rows, size_t *names_bytes)
{
    visited = 0;
    objects_visit(count_function);
    *rows = visited + 2 * kept_count + unknown_places() + SPARE_ROWS;
    *names_bytes = (unknown_places() + 8) * sizeof(((struct kernel_range *)0)->name);
}

/* ---- sorting: qsort() may call malloc() ---- */

typedef int order_fn(const struct profile_row *left, const struct profile_row *right);

static int by_samples(const struct profile_row *left, const struct profile_row *right)
{
    if (left->samples != right->samples) {
        return left->samples > right->samples ? -1 : 1;
    }
    return by_name(left, right);
}

/* Lets the row at `at` sink in the heap of the first `count`. */
static void sink(struct profile_row *row, size_t at, size_t count, order_fn *order)
{
    struct profile_row moved = row[at];

    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && order(&row[child], &row[child + 1]) < 0;
        if (order(&moved, &row[child]) >= 0) {
            break;
        }
        row[at] = row[child];
        at = child;
    }
    row[at] = moved;
}

static void sort(struct profile_row *row, size_t count, order_fn *order)
{
    for (size_t i = count / 2; i > 0; i--) {
        sink(row, i - 1, count, order);
    }
    for (size_t end = count; end > 1; end--) {
        struct profile_row last = row[end - 1];

        row[end - 1] = row[0];
        row[0] = last;
        sink(row, 0, end - 1, order);
    }
}

/* Sorted by name: rows of the same name become one. */
static void merge(struct profile *profile)
{
    size_t merged = 0;

    for (size_t i = 0; i < profile->count; i++) {
        if (merged > 0 && by_name(&profile->row[merged - 1], &profile->row[i]) == 0) {
            profile->row[merged - 1].samples += profile->row[i].samples;
        } else {
            profile->row[merged++] = profile->row[i];
        }
    }
    profile->count = merged;
}

void profile_gather(struct profile *profile, struct kernel_maps *maps)
{
    gathered = profile;
    profile->samples_of[PROFILE_NO_ROOM] += kept_no_room;
    objects_visit(add_function);
    twalk_r(kept, add_kept, NULL);
    unknown_explain(maps, add_unknown);
    sort(profile->row, profile->count, by_name);
    merge(profile);
    sort(profile->row, profile->count, by_samples);
}

uint64_t profile_total(const struct profile *profile)
{
    uint64_t total = 0;

    for (unsigned class = 0; class < PROFILE_CLASSES; class ++) {
        total += profile->samples_of[class];
    }
    return total;
}

/* ---- printing ---- */

/* At least `width` columns. */
static void add_wide(struct text *out, const char *string, size_t width)
{
    text_add(out, string);
    for (size_t columns = strlen(string); columns < width; columns++) {
        text_add(out, " ");
    }
}

static void print_row(struct text *out, const struct profile_row *row, uint64_t total)
{
    uint64_t hundredths = (row->samples * 20000 + total) / (2 * total);

    text_number_wide(out, row->samples, 10, 9);
    text_add(out, "  ");
    text_number_wide(out, hundredths / 100, 10, 4);
    text_add(out, hundredths % 100 < 10 ? ".0" : ".");
    text_number(out, hundredths % 100, 10);
    text_add(out, "  ");
    add_wide(out, row->function, 40);
    text_add(out, "  ");
    text_add(out, row->object);
    text_add(out, "\n");
}

static void explain(struct text *out, const struct profile *profile)
{
    static const char *const meaning[PROFILE_CLASSES] = {
        "in functions",
        "in [.text] and the like: code of an object that no symbol names, because the object is stripped",
        "in [no-object]: code outside the linker's list, such as that of just-in-time compilers",
        "in [closing]: where an object was being unmapped",
        "without a row: out of memory",
    };

    for (unsigned class = 0; class < PROFILE_CLASSES; class ++) {
        if (profile->samples_of[class] > 0) {
            text_number_wide(out, profile->samples_of[class], 10, 9);
            text_add(out, "  ");
            text_add(out, meaning[class]);
            text_add(out, "\n");
        }
    }
}

void profile_print(const struct profile *profile, struct text *out)
{
    uint64_t total = profile_total(profile);

    if (total == 0) {
        return;
    }
    text_add(out, "  samples  percent  ");
    add_wide(out, "function", 40);
    text_add(out, "  object\n");
    for (size_t i = 0; i < profile->count; i++) {
        print_row(out, &profile->row[i], total);
    }
    explain(out, profile);
}
