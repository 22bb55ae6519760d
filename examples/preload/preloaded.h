// SPDX-License-Identifier: BSD-2-Clause
/* Whether a library was there from the start of its process, or was loaded while the program ran already. */
#ifndef EXAMPLES_PRELOAD_PRELOADED_H
#define EXAMPLES_PRELOAD_PRELOADED_H

#include <stdbool.h>

/*
 * Of the object that this is linked into. In a constructor: the linker's list is read without its lock. No system
 * call.
 */
bool preloaded(void);

#endif
