// SPDX-License-Identifier: BSD-2-Clause
// The call stacks that pcmap records, while their processes run.
#ifndef EXAMPLES_TOP_STACKS_H
#define EXAMPLES_TOP_STACKS_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct record;

namespace top
{

// What has been recorded of a process since it began.
struct StacksSample {
    uint64_t samples = 0, dropped = 0;
    std::vector<std::pair<std::string, uint64_t>>
        hottest; // at most kHottest: frames as in record.h, and samples
};

static const size_t kHottest = 10;

// The records in a folder (PCMAP_STACKS). Each look reads only what has come since the last one.
class StackRecords
{
  public:
    // Empty: there are none.
    explicit StackRecords(std::string folder);
    ~StackRecords();

    // Running processes that have a record.
    std::vector<long> processes() const;

    // Null: there is none of that process.
    std::unique_ptr<StacksSample> look(long pid);

  private:
    struct Process {
        record *source;
        std::map<std::string, uint64_t> stacks;
    };

    Process *find(long pid);

    const std::string folder_;
    std::map<long, Process> processes_;
};

// Lines of 80 columns at most, that end in '\n'. `before`, `seconds` older, or null.
std::string stacks_table(const StacksSample &now, const StacksSample *before, double seconds);

} // namespace top

#endif
