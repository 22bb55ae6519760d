// SPDX-License-Identifier: BSD-2-Clause
#ifndef EXAMPLES_VMWATCH_PROGRAM_H
#define EXAMPLES_VMWATCH_PROGRAM_H

#include <stddef.h>

/*
 * Why a program, searched along PATH as execvp() does, cannot have a library of glibc preloaded: a text in `why`,
 * which is empty if nothing speaks against it or the file is none of ELF.
 */
void program_check(const char *name, char *why, size_t size);

#endif
