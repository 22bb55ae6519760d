// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes recorded stacks apart, by libdw: the frames' call frame information, and names also from separate debug
 * files.
 */
#ifndef EXAMPLES_PCMAP_UNWIND_H
#define EXAMPLES_PCMAP_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/pcmap/stack_file.h"

struct unwind;

/* NULL: out of memory. */
struct unwind *unwind_new(void);

/* NULL: nothing. */
void unwind_free(struct unwind *unwind);

/* An object has been mapped, or unmapped; the path is behind the record. */
void unwind_object(struct unwind *unwind, const struct stack_object *object, bool is_gone);

/*
 * Writes the sample's frames to `text`, the outermost first, separated by ';': the function's name; "[name of the
 * object]+0xoffset" where no symbol is; "[unknown]" where no object is. The outermost is "[cut]" where the stack was
 * copied no further.
 */
void unwind_sample(struct unwind *unwind, const struct stack_sample *sample, char *text, size_t size);

#endif
