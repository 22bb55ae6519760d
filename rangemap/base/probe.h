// SPDX-License-Identifier: BSD-2-Clause
/*
 * Static probes (USDT) for perf, bpftrace, SystemTap and gdb; docs in tools/README.md. Where <sys/sdt.h> is found
 * at build time, a probe is one nop in the code and a note beside it that says where its arguments are; without
 * the header it is nothing at all. A probe computes nothing: its arguments are words at hand.
 *
 *   lookup__miss   map, key             a lookup or find of one key found no range
 *   batch          map, keys, hits      up to 16 keys of a batch were looked up, and so many found
 *   cas__retry     map, slot            an update's compare-and-swap failed; it begins again
 *   fold           slot, level          an update passes a slot that another one has frozen, and takes it in
 *   freeze         map, node, children  an inner node is being frozen
 *   split          entries, level       more entries than fit one node of that level: they go to several
 *   gap__search    map, visits          a search for a gap ended, having looked into so many nodes
 *   poll           domain, moved        a look for grace periods that are over; moved: whether it could tell any is
 *   stall          domain, behind       such a look in vain, for an open section; behind: epochs that it is behind
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

/* The only macros of their kind: a probe's name is a token, which <sys/sdt.h> pastes into assembly. */
#if RANGEMAP_PROBES
#include <sys/sdt.h>
#define RM_PROBE2(name, a, b) DTRACE_PROBE2(rangemap, name, a, b)
#define RM_PROBE3(name, a, b, c) DTRACE_PROBE3(rangemap, name, a, b, c)
#else
#define RM_PROBE2(name, a, b) ((void)(a), (void)(b))
#define RM_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

/* <sys/sdt.h> leaves the variable arguments of a macro out, which -Wpedantic of clang does not like. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

RM_ALWAYS_INLINE void rm_probe_lookup_miss(const void *map, uint64_t key)
{
    RM_PROBE2(lookup__miss, map, key);
}

RM_ALWAYS_INLINE void rm_probe_batch(const void *map, unsigned keys, uint32_t hits)
{
    RM_PROBE3(batch, map, keys, hits);
}

RM_ALWAYS_INLINE void rm_probe_cas_retry(const void *map, const void *slot)
{
    RM_PROBE2(cas__retry, map, slot);
}

RM_ALWAYS_INLINE void rm_probe_fold(const void *slot, unsigned level)
{
    RM_PROBE2(fold, slot, level);
}

RM_ALWAYS_INLINE void rm_probe_freeze(const void *map, const void *node, unsigned children)
{
    RM_PROBE3(freeze, map, node, children);
}

RM_ALWAYS_INLINE void rm_probe_split(unsigned entries, unsigned level)
{
    RM_PROBE2(split, entries, level);
}

RM_ALWAYS_INLINE void rm_probe_gap_search(const void *map, uint64_t visits)
{
    RM_PROBE2(gap__search, map, visits);
}

RM_ALWAYS_INLINE void rm_probe_poll(const void *domain, unsigned moved)
{
    RM_PROBE2(poll, domain, moved);
}

RM_ALWAYS_INLINE void rm_probe_stall(const void *domain, unsigned behind)
{
    RM_PROBE2(stall, domain, behind);
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif
