// SPDX-License-Identifier: BSD-2-Clause
// The memory of simulated processes: always at the same addresses, so that a run is the same each time.
#ifndef RANGEMAP_BENCH_CORES_ARENA_H
#define RANGEMAP_BENCH_CORES_ARENA_H

#include <cstddef>
#include <cstdint>

namespace bench::cores
{

constexpr uintptr_t kArenaBegin = uintptr_t{1} << 44;
constexpr size_t kArenaBytes = size_t{64} << 30;

// Whole zeroed pages; nullptr: the arena is used up. Given back, pages are used again only if they were the last.
void *arena_map(size_t bytes);
void arena_unmap(void *pages, size_t bytes);

inline bool is_in_arena(uintptr_t address)
{
    return address - kArenaBegin < kArenaBytes;
}

} // namespace bench::cores

#endif
