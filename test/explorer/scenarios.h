// SPDX-License-Identifier: BSD-2-Clause
/* The worlds that are explored, by name. */
#ifndef RANGEMAP_TEST_EXPLORER_SCENARIOS_H
#define RANGEMAP_TEST_EXPLORER_SCENARIOS_H

#include "test/explorer/world.h"

/* The test fails if there is none. */
const struct scenario *scenario_find(const char *name);

/* By number; NULL behind the last. */
const struct scenario *scenario_at(unsigned index);

#endif
