// SPDX-License-Identifier: BSD-2-Clause
// One set of ranges with the maps that hold it: made, filled and checked when a row first asks for them.
#ifndef RANGEMAP_BENCH_COMPARE_STAGE_H
#define RANGEMAP_BENCH_COMPARE_STAGE_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/compare/row.h"
#include "bench/progress.h"

namespace bench
{

// A set to measure on.
struct Stage {
    std::string name;  // "mixed:65536"
    std::string shape; // "mixed", "pages", or the name of a real set
    std::string source;
    std::shared_ptr<const Ranges> ranges;
    bool aligned = false; // powers of two, aligned
    std::vector<Row> rows;
};

class Loaded
{
  public:
    Loaded(const Stage &stage, uint64_t seed, Progress &progress)
        : stage_(stage), seed_(seed), progress_(progress)
    {
    }

    const Stage &stage() const
    {
        return stage_;
    }

    // The peer's map as it is, empty at first.
    Contender &map(const Peer &peer);

    // The same, holding the ranges: put in by random inserts if the peer can, and checked.
    Contender &filled(const Peer &peer);

    // Makes filled() fill anew.
    void forget_contents()
    {
        filled_.clear();
    }

    // The ranges in the order of random inserts.
    const Ranges &shuffled_ranges();

    // Keys for the threads of a row; empty lists if the set has no such keys.
    const MixInput &input(const Row &row);

    // Throws if a map that was filled does not hold what it did.
    void check_again(const Peer &peer);

  private:
    const Stage &stage_;
    uint64_t seed_;
    Progress &progress_;
    std::map<std::string, std::unique_ptr<Contender>> maps_; // by name of the peer
    std::map<std::string, bool> filled_;
    std::map<std::string, MixInput> inputs_;
    Ranges shuffled_;
};

} // namespace bench

#endif
