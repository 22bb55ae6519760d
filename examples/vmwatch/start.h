// SPDX-License-Identifier: BSD-2-Clause
#ifndef EXAMPLES_VMWATCH_START_H
#define EXAMPLES_VMWATCH_START_H

#include <stdbool.h>

/* Whether calls are followed already. */
bool start_is_done(void);

/* For when following ends, or goes on after all. */
void start_set_done(bool done);

#endif
