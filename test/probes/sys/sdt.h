// SPDX-License-Identifier: BSD-2-Clause
/* In place of the system's header: a probe is a call. For sources of the library that a test compiles anew. */
#ifndef RANGEMAP_TEST_PROBES_SYS_SDT_H
#define RANGEMAP_TEST_PROBES_SYS_SDT_H

#include <stdint.h>

void probe_hit(const char *name, uintptr_t a, uintptr_t b, uintptr_t c);

#define DTRACE_PROBE2(provider, name, a, b) probe_hit(#name, (uintptr_t)(a), (uintptr_t)(b), 0)
#define DTRACE_PROBE3(provider, name, a, b, c)                                                               \
    probe_hit(#name, (uintptr_t)(a), (uintptr_t)(b), (uintptr_t)(c))

#endif
