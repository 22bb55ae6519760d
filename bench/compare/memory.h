// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of a filled map, in a process of its own, so that nothing else has touched the allocators. Two
 * figures: what the map's allocator says is in use, and by how much resident memory grew.
 */
#ifndef RANGEMAP_BENCH_COMPARE_MEMORY_H
#define RANGEMAP_BENCH_COMPARE_MEMORY_H

#include <optional>
#include <string>

#include "bench/compare/results.h"
#include "bench/compare/stage.h"

namespace bench
{

// "memory_ordered" and "memory_random".
const std::vector<std::string> &memory_rows();

struct MemoryUse {
    double bytes = 0, resident_bytes = 0;
};

// In this process. Once only.
MemoryUse probe_memory(const Stage &stage, const Peer &peer, const std::string &row, uint64_t seed);

// Runs this program with these arguments, which make it print what probe_memory() found.
MemoryUse probe_in_child(const std::vector<std::string> &arguments);
void print_memory(const MemoryUse &use);

} // namespace bench

#endif
