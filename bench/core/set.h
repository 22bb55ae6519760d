// SPDX-License-Identifier: BSD-2-Clause
// One set of ranges with the maps that hold it: made, filled and checked when a row first asks for them.
#ifndef RANGEMAP_BENCH_CORE_SET_H
#define RANGEMAP_BENCH_CORE_SET_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/check/checker.h"
#include "bench/core/options.h"
#include "bench/core/result.h"
#include "bench/progress.h"
#include "bench/sets/range_set.h"

namespace bench
{

// A set to measure on.
struct Set {
    std::string name;                     // "mixed:65536"
    std::string shape;                    // "mixed", "pages", or the name of a real set
    std::shared_ptr<const Ranges> ranges; // none where rows bring their own maps: `count` is their size
    std::vector<Action> actions;          // how to reach it; may be none
    size_t count = 0;
    bool aligned = false;            // powers of two, aligned
    bool bulk = false;               // maps are filled in bulk, else by random inserts
    std::vector<std::string> labels; // what a value stands for: labels[value]
    std::vector<Row> rows;
    SetFacts facts;

    bool whole_pages() const; // of 4 KiB, in one address space
};

// "mixed:4096", "geoip": the set, without rows.
Set make_set(const std::string &name, const Options &options);

class Loaded
{
  public:
    Loaded(const Set &set, uint64_t seed, Progress &progress, Checker &checker)
        : set_(set), seed_(seed), progress_(progress), checker_(checker)
    {
    }

    const Set &set() const
    {
        return set_;
    }

    // The subject's map in any state, for rows that fill it themselves. Checked when it is made.
    SubjectMap &map(const Subject &subject);

    // The same, holding the ranges, and checked.
    SubjectMap &filled(const Subject &subject);

    // The ranges in the order of random inserts.
    const Ranges &shuffled_ranges();

    // Keys for the threads of a row; empty lists if the set has no such keys.
    const MixInput &input(const Row &row);
    bool has_keys(const Row &row);

    // Waits until no garbage of the subject's map is left.
    void settle(const Subject &subject);

    // Checks that a map that was filled still holds what it did.
    void check_again(const Subject &subject);

  private:
    SubjectMap &made(const Subject &subject);

    const Set &set_;
    uint64_t seed_;
    Progress &progress_;
    Checker &checker_;
    std::map<std::string, std::unique_ptr<SubjectMap>> maps_; // by name of the subject
    std::map<std::string, bool> filled_;
    std::map<std::string, MixInput> inputs_;
    Ranges shuffled_;
};

} // namespace bench

#endif
