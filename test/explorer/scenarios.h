// SPDX-License-Identifier: BSD-2-Clause
/* The worlds that are explored, by name. */
#ifndef RANGEMAP_TEST_EXPLORER_SCENARIOS_H
#define RANGEMAP_TEST_EXPLORER_SCENARIOS_H

#include "test/explorer/world.h"

/* The test fails if there is none. */
const struct scenario *scenario_find(const char *name);

/* The same in weak memory, `light`: with fence-free sections; for builds that have it. */
struct scenario scenario_in_weak_memory(const char *name, bool light);

/* By number; NULL behind the last. */
const struct scenario *scenario_at(unsigned index);

#endif
