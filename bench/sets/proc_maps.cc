// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/proc_maps.h"

#include <algorithm>
#include <filesystem>

#include "bench/sets/line_reader.h"

namespace bench
{

static std::vector<uint64_t> process_numbers(const std::string &root)
{
    std::vector<uint64_t> numbers;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end;
         entry.increment(error)) {
        uint64_t number;
        if (parse_number(entry->path().filename().string(), &number))
            numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

// "55a5ebbc4000-55a5ebbc6000 r--p 00000000 fe:00 247498     /usr/bin/head"; the end is exclusive.
static bool parse_mapping(std::string_view line, Range *range, std::string *label)
{
    std::vector<std::string_view> words = split_words(line);
    size_t dash = words.empty() ? std::string_view::npos : words[0].find('-');
    if (words.size() < 5 || dash == std::string_view::npos)
        return false;
    if (!parse_hex(words[0].substr(0, dash), &range->start) ||
        !parse_hex(words[0].substr(dash + 1), &range->last) || range->start >= range->last)
        return false;
    range->last--;
    *label = std::string(words[1]) + (words.size() > 5 ? " " + std::string(words[5]) : "");
    return true;
}

namespace
{

struct Collected {
    Ranges ranges;
    uint64_t processes = 0, unreadable = 0, above = 0;
};

} // namespace

static void collect_process(LineReader &lines, uint64_t pid, RangeSet *set, Collected *all)
{
    bool any = false;
    std::string_view line;
    std::string label;
    while (lines.next(&line)) {
        Range range = {};
        if (!parse_mapping(line, &range, &label)) {
            lines.malformed("is no mapping");
            continue;
        }
        if (range.last > kAddressMask) {
            all->above++;
            continue;
        }
        any = true;
        uint64_t space = all->processes << kAddressBits;
        all->ranges.push_back({range.start | space, range.last | space, set->labels.size()});
        set->labels.push_back(std::to_string(pid) + " " + label);
    }
    all->processes += any;
    set->malformed += lines.malformed_count();
}

RangeSet load_proc_maps(const std::string &root)
{
    RangeSet set;
    set.name = "maps";
    set.source = root + "/*/maps";
    Collected all;
    for (uint64_t pid : process_numbers(root)) {
        LineReader lines(root + "/" + std::to_string(pid) + "/maps");
        if (!lines.error().empty())
            all.unreadable++;
        else if (all.processes < UINT64_MAX >> kAddressBits)
            collect_process(lines, pid, &set, &all);
    }
    if (all.ranges.empty())
        return skipped_set(set.name, set.source, "no process's map can be read");
    set.notes.push_back(std::to_string(all.processes) + " processes with mappings, " +
                        std::to_string(all.unreadable) + " unreadable, " + std::to_string(all.above) +
                        " lines above 2^48 left out");
    finish_set(&set, all.ranges);
    return set;
}

} // namespace bench
