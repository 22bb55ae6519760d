// SPDX-License-Identifier: BSD-2-Clause
// What is measured on one set of ranges, whatever the map.
#ifndef RANGEMAP_BENCH_CORE_ROW_H
#define RANGEMAP_BENCH_CORE_ROW_H

#include <string>
#include <vector>

#include "bench/core/subject.h"
#include "bench/workload/keys.h"

namespace bench
{

enum class Measure {
    kRate,         // operations of a mix of lookups and updates
    kLatency,      // percentiles of lookups, or of updates: plan.times_updates
    kGarbage,      // bytes that wait to be freed during a mix
    kScan,         // a walk over all ranges
    kBuildOrdered, // filling an empty map in ascending order, in bulk where there is a call for it
    kBuildRandom,  // one by one in random order
    kReplay,       // the stores and carves that lead to the set, on an empty map
};

struct Row {
    std::string name; // "lookup_alone/random/hit/threads:1"
    Measure measure = Measure::kRate;
    KeyPlan keys = {};
    MixPlan plan = {LookupMode::kAlone, 1, 0, 0};
    bool halves = false; // each thread stays in a slice of the map of its own
    bool weighs = false; // what fills a map: says also what memory its allocator counts then
};

// What of the rows to measure.
enum class Extent { kDefault, kFull };

// The rows for maps of `ranges` synthetic ranges. `threads` ascends.
std::vector<Row> synthetic_rows(const std::vector<unsigned> &threads, Extent extent);

// A few for page-aligned and for real sets.
std::vector<Row> set_rows(const std::vector<unsigned> &threads, Extent extent, bool has_actions);

// Those of replay: for real sets, and for synthetic ones, by which its targets are judged.
std::vector<Row> replay_rows(const std::vector<unsigned> &threads, const std::vector<unsigned> &updates,
                             bool has_actions);
std::vector<Row> replay_synthetic_rows(const std::vector<unsigned> &threads);

// Whether the map is filled by the row, not before it.
bool fills(const Row &row);

// Whether the row means something for the subject on a map of so many ranges, all of them aligned powers of two or
// not, and of whole pages or not.
bool applies(const Row &row, const Subject &subject, size_t ranges, bool aligned, bool pages);

// Names of rows that targets refer to.
std::string lookup_row(const char *mode, const KeyPlan &keys, unsigned threads, bool halves);
std::string update_row(unsigned percent, unsigned threads, bool halves); // 100: erase and insert pairs

} // namespace bench

#endif
