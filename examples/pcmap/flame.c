// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/flame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A frame and those that it calls, in order of their names. */
struct frame {
    char *name;
    uint64_t samples; /* with those of its callees */
    uint64_t own;
    struct frame *callees, *next;
};

enum { WIDTH = 1200, ROW = 17, MARGIN = 10, TITLE = 36, LETTER_WIDTH = 7 };

static struct frame root;

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL) {
        (void)fprintf(stderr, "stacks: out of memory\n");
        exit(1);
    }
    return memory;
}

static struct frame *callee(struct frame *caller, const char *name, size_t length)
{
    struct frame **place = &caller->callees, *made;
    int order = 1;

    while (*place != NULL) {
        order = strncmp((*place)->name, name, length);
        order = order != 0 ? order : (*place)->name[length] != '\0';
        if (order >= 0) {
            break;
        }
        place = &(*place)->next;
    }
    if (*place != NULL && order == 0) {
        return *place;
    }
    made = allocate(sizeof *made);
    made->name = allocate(length + 1);
    memcpy(made->name, name, length);
    made->next = *place;
    *place = made;
    return made;
}

void flame_add(const char *stack, uint64_t samples)
{
    struct frame *frame = &root;

    frame->samples += samples;
    while (*stack != '\0') {
        size_t length = strcspn(stack, ";");

        frame = callee(frame, stack, length);
        frame->samples += samples;
        stack += length + (stack[length] == ';');
    }
    frame->own += samples;
}

/* ---- collapsed ---- */

static void print_frame(FILE *out, const struct frame *frame, const char *callers)
{
    size_t bytes = strlen(callers) + strlen(frame->name) + 2;
    char *stack = allocate(bytes);

    (void)snprintf(stack, bytes, "%s%s%s", callers, *callers != '\0' ? ";" : "", frame->name);
    if (frame->own > 0) {
        (void)fprintf(out, "%s %" PRIu64 "\n", stack, frame->own);
    }
    for (const struct frame *next = frame->callees; next != NULL; next = next->next) {
        print_frame(out, next, stack);
    }
    free(stack);
}

void flame_print(FILE *out)
{
    for (const struct frame *frame = root.callees; frame != NULL; frame = frame->next) {
        print_frame(out, frame, "");
    }
}

/* ---- drawn ---- */

static unsigned depth_of(const struct frame *frame)
{
    unsigned deepest = 0;

    for (const struct frame *next = frame->callees; next != NULL; next = next->next) {
        unsigned depth = depth_of(next);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static void print_escaped(FILE *out, const char *text, size_t letters)
{
    for (size_t i = 0; text[i] != '\0' && i < letters; i++) {
        switch (text[i]) {
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '&':
            (void)fputs("&amp;", out);
            break;
        default:
            (void)fputc(text[i], out);
        }
    }
}

/* Warm colours, the same for the same name. */
static unsigned colour_of(const char *name)
{
    unsigned hash = 0;

    for (; *name != '\0'; name++) {
        hash = hash * 31 + (unsigned char)*name;
    }
    return (205 + hash % 50) << 16 | (80 + hash / 50 % 120) << 8 | (hash / 6000 % 60);
}

static void draw_frame(FILE *out, const struct frame *frame, double left, double below, double scale)
{
    double width = (double)frame->samples * scale;
    size_t letters = width > 3 * LETTER_WIDTH ? (size_t)(width / LETTER_WIDTH) : 0;

    if (width < 0.3) {
        return; /* not to be seen */
    }
    (void)fprintf(out, "<g><title>");
    print_escaped(out, frame->name, SIZE_MAX);
    (void)fprintf(out, " (%" PRIu64 " samples, %.2f %%)</title>", frame->samples,
                  (double)frame->samples * 100 / (double)root.samples);
    (void)fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#%06x\" rx=\"2\"/>",
                  left, below - ROW + 1, width, ROW - 1, colour_of(frame->name));
    if (letters > 0) {
        (void)fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", left + 3, below - 4);
        print_escaped(out, frame->name, letters);
        (void)fprintf(out, "</text>");
    }
    (void)fprintf(out, "</g>\n");
    for (const struct frame *next = frame->callees; next != NULL; next = next->next) {
        draw_frame(out, next, left, below - ROW, scale);
        left += (double)next->samples * scale;
    }
}

void flame_draw(FILE *out, const char *title)
{
    unsigned height = TITLE + depth_of(&root) * ROW + MARGIN;

    root.name = (char[]){"all"};
    (void)fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"monospace\" "
        "font-size=\"11\">\n<text x=\"%d\" y=\"22\" font-size=\"15\">",
        WIDTH, height, MARGIN);
    print_escaped(out, title, SIZE_MAX);
    (void)fprintf(out, "</text>\n");
    if (root.samples > 0) {
        draw_frame(out, &root, MARGIN, height - MARGIN, (WIDTH - 2.0 * MARGIN) / (double)root.samples);
    }
    (void)fprintf(out, "</svg>\n");
}
