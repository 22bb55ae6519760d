// SPDX-License-Identifier: BSD-2-Clause
// The maps that are compared, and what each can do.
#ifndef RANGEMAP_BENCH_COMPARE_PEER_H
#define RANGEMAP_BENCH_COMPARE_PEER_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/workload/contender.h"

namespace bench
{

struct Peer {
    std::string name;  // in rows and options: "maple"
    std::string title; // for people: "maple tree"
    std::function<std::unique_ptr<Contender>()> make;
    bool updates = true;
    bool overwrites = true;           // store over and carve
    bool looks_up = true;             // else only batches are of interest
    bool reclaims = false;            // frees memory later than it could
    bool own_process = false;         // in another process, which counts its memory by itself
    size_t most_unaligned = SIZE_MAX; // ranges that are no power of two: more would take too much memory
};

// The names that targets and reports refer to.
constexpr const char *kRangemap = "rangemap", *kMaple = "maple", *kXArray = "xarray", *kStdMap = "std_map",
                     *kBtreeMap = "btree_map", *kSkipList = "skip_list", *kSorted = "sorted",
                     *kEytzinger = "eytzinger", *kInterleaved = "eytzinger_interleaved";

Peer rangemap_peer();
std::vector<Peer> kernel_peers();
std::vector<Peer> rwlock_peers();
std::vector<Peer> array_peers();

} // namespace bench

#endif
