// SPDX-License-Identifier: BSD-2-Clause
/* Call stacks added up: as collapsed stacks ("main;work;hot 12"), which flame graph tools read, and as an SVG. */
#ifndef EXAMPLES_PCMAP_FLAME_H
#define EXAMPLES_PCMAP_FLAME_H

#include <stdint.h>
#include <stdio.h>

/* Adds samples to a stack: frames from the outermost on, separated by ';'. Ends the program when memory is out. */
void flame_add(const char *stack, uint64_t samples);

/* A line for each stack, in order. */
void flame_print(FILE *out);

/* A flame graph: outermost frames below, widths by samples; a tip shows each frame's name and share. */
void flame_draw(FILE *out, const char *title);

#endif
