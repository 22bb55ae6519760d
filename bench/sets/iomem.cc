// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/iomem.h"

#include <algorithm>

#include "bench/sets/line_reader.h"

namespace bench
{

// "00001000-0009fbff : System RAM"
static bool parse_resource(std::string_view line, Range *range, std::string_view *resource)
{
    size_t dash = line.find('-'), colon = line.find(" : ");
    if (dash == std::string_view::npos || colon == std::string_view::npos || dash > colon)
        return false;
    *resource = line.substr(colon + 3);
    return parse_hex(line.substr(0, dash), &range->start) &&
           parse_hex(line.substr(dash + 1, colon - dash - 1), &range->last) && range->start <= range->last;
}

RangeSet load_iomem(const std::string &path)
{
    LineReader lines(path);
    if (!lines.error().empty())
        return skipped_set("iomem", path, lines.error());
    RangeSet set;
    set.name = "iomem";
    set.source = path;
    Ranges ranges;
    std::string_view line, resource;
    while (lines.next(&line)) {
        Range range = {};
        if (!parse_resource(line, &range, &resource)) {
            lines.malformed("is no resource");
            continue;
        }
        range.value = set.labels.size();
        set.labels.emplace_back(resource);
        ranges.push_back(range);
    }
    set.malformed = lines.malformed_count();
    bool hidden =
        std::all_of(ranges.begin(), ranges.end(), [](const Range &range) { return range.last == 0; });
    if (hidden)
        return skipped_set("iomem", path, "the kernel hides the addresses from this user");
    finish_set(&set, ranges);
    return set;
}

} // namespace bench
