// SPDX-License-Identifier: BSD-2-Clause
/* Code of other objects, changed in place. */
#ifndef EXAMPLES_PRELOAD_CODE_H
#define EXAMPLES_PRELOAD_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Through the kernel, which gives the process a page of its own: the code is never writable, and never not executable,
 * as it would be left where nothing that was writable may become executable. False: the system does not allow it.
 */
bool code_write(uint64_t address, const uint8_t *code, size_t bytes);

#endif
