// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>

#include "rangemap/map/inspect.h"

#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"

static void text_leaf(FILE *out, const struct rm_place *place)
{
    unsigned count = rm_meta_count(place->meta);

    for (unsigned i = 0; i < count; i++) {
        struct rangemap_entry entry = rm_leaf_entry(rm_leaf(place->node), count, i);

        (void)fprintf(out, "%*s[%#" PRIx64 ", %#" PRIx64 "] = %p\n", (int)(2 * place->depth + 2), "",
                      entry.start, entry.last, entry.value);
    }
}

static bool text_place(void *state, const struct rm_place *place)
{
    FILE *out = state;
    unsigned level = rm_meta_level(place->meta);

    (void)fprintf(out, "%*s%s %p level %u count %u version %" PRIu64 " keys %#" PRIx64 "..%#" PRIx64 "\n",
                  (int)(2 * place->depth), "", level > 0 ? "inner" : "leaf", (const void *)place->node, level,
                  rm_meta_count(place->meta), rm_meta_stamp(place->meta), place->span.low, place->span.high);
    if (level == 0) {
        text_leaf(out, place);
    }
    return true;
}

/* A row of cells: separators between ports of an inner node, one line per range of a leaf. */
static void graphviz_label(FILE *out, const struct rm_place *place)
{
    unsigned count = rm_meta_count(place->meta);

    for (unsigned i = 0; i < count; i++) {
        if (rm_meta_level(place->meta) == 0) {
            struct rangemap_entry entry = rm_leaf_entry(rm_leaf(place->node), count, i);

            (void)fprintf(out, "%#" PRIx64 "..%#" PRIx64 " = %p\\l", entry.start, entry.last, entry.value);
        } else if (i == 0) {
            (void)fprintf(out, "<c0> ");
        } else {
            (void)fprintf(out, "|<c%u> %#" PRIx64, i, rm_inner(place->node)->separator[i - 1]);
        }
    }
}

static bool graphviz_place(void *state, const struct rm_place *place)
{
    FILE *out = state;

    (void)fprintf(out, "  n%p [shape=%s, label=\"", (const void *)place->node,
                  rm_meta_level(place->meta) > 0 ? "record" : "box");
    graphviz_label(out, place);
    (void)fprintf(out, "\"];\n");
    if (place->parent != NULL) {
        (void)fprintf(out, "  n%p:c%u -> n%p;\n", (const void *)place->parent, place->index,
                      (const void *)place->node);
    }
    return true;
}

int rangemap_dump(const struct rangemap *map, FILE *out, enum rangemap_dump_format format)
{
    int result;

    if (map == NULL || out == NULL || (format != RANGEMAP_DUMP_TEXT && format != RANGEMAP_DUMP_GRAPHVIZ)) {
        return -EINVAL;
    }
    if (format == RANGEMAP_DUMP_TEXT) {
        result = rm_inspect(map, text_place, out);
    } else {
        (void)fprintf(out, "digraph rangemap {\n  node [fontname=monospace];\n");
        result = rm_inspect(map, graphviz_place, out);
        (void)fprintf(out, "}\n");
    }
    return result == 0 && (fflush(out) != 0 || ferror(out) != 0) ? -EIO : result;
}
