// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/csv.h"

#include "bench/sets/line_reader.h"

namespace bench
{

// What is wrong with the line, or nothing.
static const char *parse_range(std::string_view line, Range *range, std::string_view *value)
{
    size_t first = line.find(',');
    size_t second = first == std::string_view::npos ? first : line.find(',', first + 1);
    if (second == std::string_view::npos)
        return "is not start,last,value";
    if (!parse_number(trim(line.substr(0, first)), &range->start))
        return "start is no number from 0 to 2^64-1";
    if (!parse_number(trim(line.substr(first + 1, second - first - 1)), &range->last))
        return "last is no number from 0 to 2^64-1";
    if (range->start > range->last)
        return "start is above last";
    *value = trim(line.substr(second + 1));
    return value->empty() ? "has no value" : nullptr;
}

RangeSet load_csv(const std::string &name, const std::string &path)
{
    LineReader lines(path);
    if (!lines.error().empty())
        return skipped_set(name, path, lines.error());
    RangeSet set;
    set.name = name;
    set.source = path;
    Ranges ranges;
    std::string_view line, value;
    while (lines.next(&line)) {
        if (line.empty() || line[0] == '#')
            continue;
        Range range = {};
        if (const char *why = parse_range(line, &range, &value)) {
            lines.malformed(why);
            continue;
        }
        range.value = set.labels.size();
        set.labels.emplace_back(value);
        ranges.push_back(range);
    }
    set.malformed = lines.malformed_count();
    if (ranges.empty())
        set.skipped = "holds no range";
    finish_set(&set, ranges);
    return set;
}

} // namespace bench
