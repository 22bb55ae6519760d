// SPDX-License-Identifier: BSD-2-Clause
// The maps under test, and what each can do.
#ifndef RANGEMAP_BENCH_CORE_SUBJECT_H
#define RANGEMAP_BENCH_CORE_SUBJECT_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/workload/subject_map.h"

namespace bench
{

struct Subject {
    std::string name;                                  // in rows and options: "maple"
    std::string title;                                 // for people: "maple tree"
    std::function<std::unique_ptr<SubjectMap>()> make; // none: only in rows that bring maps of their own
    bool updates = true;              // insert and erase one by one; else only filling in bulk
    bool erases = true;               // else insert only, beside updates = true
    bool overwrites = true;           // store over and carve
    bool looks_up = true;             // else only batches are of interest
    bool reclaims = false;            // frees memory later than it could
    bool own_process = false;         // in another process, which counts its memory by itself
    bool only_pages = false;          // cannot hold ranges that are not of whole pages of 4 KiB
    size_t most_unaligned = SIZE_MAX; // ranges that are no power of two: more would take too much memory
    size_t most_updated = SIZE_MAX;   // ranges; in larger maps an update takes too long
};

template <class Map> Subject subject(const char *name, const char *title)
{
    return {name, title, [] { return std::make_unique<SubjectMapOf<Map>>(); }};
}

// The names that targets and reports refer to.
constexpr const char *kRangemap = "rangemap", *kMaple = "maple", *kXArray = "xarray", *kStdMap = "std_map",
                     *kBtreeMap = "btree_map", *kSkipList = "skip_list", *kSetOfGaps = "set_of_gaps",
                     *kEytzinger = "eytzinger", *kStdMapMutex = "std_map_mutex",
                     *kBtreeMapMutex = "btree_map_mutex";

Subject rangemap_subject();
std::vector<Subject> rwlock_subjects();

// The peers, of this process: in peer_subjects.cc, for programs that link them.
std::vector<Subject> kernel_subjects();
std::vector<Subject> page_and_copy_subjects();
std::vector<Subject> array_subjects();
std::vector<Subject> subjects_of_own_rows();
std::vector<Subject> packaged_subjects(); // none, unless built with --config=peers

struct JavaOptions;
// All, in the order in which they are listed, and the one that is a Java program.
std::vector<Subject> all_subjects(const JavaOptions &java);

} // namespace bench

#endif
