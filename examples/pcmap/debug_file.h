// SPDX-License-Identifier: BSD-2-Clause
/* Where the symbols of a stripped file are, if they are installed. */
#ifndef EXAMPLES_PCMAP_DEBUG_FILE_H
#define EXAMPLES_PCMAP_DEBUG_FILE_H

#include <libelf.h>

/*
 * Opens the file with the debug information of the one at `path`, read as `elf`: by its build ID below
 * /usr/lib/debug/.build-id; or by its .gnu_debuglink, beside it, in .debug there, or below /usr/lib/debug. A
 * descriptor, or -1.
 */
int debug_file_open(Elf *elf, const char *path);

#endif
