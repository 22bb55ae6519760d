// SPDX-License-Identifier: BSD-2-Clause
/*
 * Static probes (USDT) for perf, bpftrace, SystemTap and gdb; docs in tools/README.md. Where <sys/sdt.h> is found
 * at build time, a probe is one nop in the code and a note beside it that says where its arguments are; without
 * the header it is nothing at all. A probe computes nothing: its arguments are words at hand.
 *
 *   lookup__miss   map, key             a lookup or find of one key found no range
 *   batch          map, keys, hits      up to 16 keys of a batch were looked up; bit i of hits: the i-th was found
 *   cas__retry     map, slot            an update's compare-and-swap failed; it begins again
 *   fold           slot, level          an update passes a slot that another one has frozen, and takes it in
 *   freeze         map, node, children  an inner node is being frozen
 *   split          entries, level       more entries than fit one node of that level: they go to several
 *   poll           domain, moved        a look for grace periods that are over; moved: whether it could tell any is
 *   stall          domain, pending      such a look in vain: a section of an older epoch is open, and so many bytes wait
 */
#ifndef RANGEMAP_BASE_PROBE_H
#define RANGEMAP_BASE_PROBE_H

#include "rangemap/base/compiler.h"

#if !defined(RANGEMAP_PROBES) && defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define RANGEMAP_PROBES 1
#endif
#endif
#if !defined(RANGEMAP_PROBES)
#define RANGEMAP_PROBES 0
#endif

#if RANGEMAP_PROBES
#include <sys/sdt.h>
#define RM_PROBE2(name, a, b) DTRACE_PROBE2(rangemap, name, a, b)
#define RM_PROBE3(name, a, b, c) DTRACE_PROBE3(rangemap, name, a, b, c)
#else
#define RM_PROBE2(name, a, b) ((void)(a), (void)(b))
#define RM_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
