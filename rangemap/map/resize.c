// SPDX-License-Identifier: BSD-2-Clause
/* A range whose bounds move: the rewrite of its old and new keys, in which it must be alone. */
#include <errno.h>

#include "rangemap/map/window.h"

struct resize {
    uint64_t start, last, new_start, new_last;
    int error;
    bool found, blocked;
    struct rangemap_entry entry, conflict;
};

static void resize_begin(void *state)
{
    struct resize *resize = state;

    resize->found = false;
    resize->blocked = false;
}

static bool resize_visit(void *state, struct rm_sink *sink, const struct rangemap_entry *entries,
                         unsigned count)
{
    struct resize *resize = state;

    (void)sink;
    for (unsigned i = 0; i < count; i++) {
        if (entries[i].start == resize->start && entries[i].last == resize->last) {
            resize->found = true;
            resize->entry = entries[i];
        } else if (!resize->blocked) {
            resize->blocked = true;
            resize->conflict = entries[i];
        }
    }
    return true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The value of what both have in common: that of a part only where the range shrinks. */
static void *value_of(const struct resize *resize, const struct rm_values *values)
{
    uint64_t start = most(resize->start, resize->new_start), last = least(resize->last, resize->new_last);

    if (start == resize->start && last == resize->last) {
        return resize->entry.value;
    }
    return rm_values_part(values, &resize->entry, start, last);
}

static bool resize_finish(void *state, struct rm_sink *sink)
{
    struct resize *resize = state;
    void *value;

    if (!resize->found || resize->blocked) {
        resize->error = resize->found ? -EEXIST : -ENOENT;
        return rm_sink_refuse(sink);
    }
    value = value_of(resize, sink->values);
    return rm_sink_put(sink, resize->new_start, resize->new_last, value) &&
           rm_sink_displace(sink, &resize->entry, value == resize->entry.value);
}

int rangemap_resize(struct rangemap *map, uint64_t start, uint64_t last, uint64_t new_start,
                    uint64_t new_last, struct rangemap_entry *conflict)
{
    static const struct rm_composer composer = {resize_begin, resize_visit, resize_finish};
    struct resize resize = {start, last, new_start, new_last, .error = 0};
    const struct rm_rewrite rewrite = {.map = map,
                                       .start = least(start, new_start),
                                       .last = most(last, new_last),
                                       .sees_all = true,
                                       .composer = &composer,
                                       .state = &resize};
    int result;

    if (map == NULL || start > last || new_start > new_last || new_start > last || new_last < start) {
        return -EINVAL;
    }
    result = rm_window_rewrite(&rewrite, &resize.error);
    if (result == -EEXIST && conflict != NULL) {
        *conflict = resize.conflict;
    }
    return result;
}
