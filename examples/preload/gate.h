// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether the process was started under a seccomp filter that came with a program in between: that may forbid anything,
 * and cannot be read any more. Then a library makes no calls but those that the dynamic linker has made before.
 *
 * The map's code makes some when it is loaded, ahead of ours. It makes all of them by syscall(), which the linker makes
 * a call of the gate (--wrap=syscall): where that is shut, they fail and are not made.
 */
#ifndef EXAMPLES_PRELOAD_GATE_H
#define EXAMPLES_PRELOAD_GATE_H

#include <stdbool.h>

/* Defined by each library: the environment's variable for the number of filters that are harmless. */
extern const char gate_variable[];

/* More filters than that. Without the variable: no. */
bool gate_is_shut(void);

#endif
