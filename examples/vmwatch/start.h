// SPDX-License-Identifier: BSD-2-Clause
#ifndef EXAMPLES_VMWATCH_START_H
#define EXAMPLES_VMWATCH_START_H

#include <stdbool.h>

/* Whether calls are followed already. */
bool start_is_done(void);

/* Compares and writes the report, once per process. */
void start_report(void);

#endif
