// SPDX-License-Identifier: BSD-2-Clause
/*
 * Word from the dynamic linker that its list of objects changes.
 *
 * The linker calls an empty function for debuggers to set a breakpoint at, _r_debug.r_brk (see <link.h>), on every
 * way on which objects come and go: dlopen(), dlmopen(), dlclose(), opens that fail half way, and libc's own for
 * iconv, name services and unwinding. It does so while it holds its lock: after the new objects are mapped and before
 * any of their code runs; after the last code of the old ones has run and before they are unmapped; and once they
 * are. Here that function becomes a jump to ours.
 */
#ifndef EXAMPLES_PCMAP_LINKER_H
#define EXAMPLES_PCMAP_LINKER_H

#include <stdbool.h>

/* `is_unmapping`: objects are about to be unmapped. */
typedef void linker_changed_fn(bool is_unmapping);

/* While the process has one thread. NULL, or why the linker cannot be followed: then `changed` is never called. */
const char *linker_follow(linker_changed_fn *changed);

#endif
