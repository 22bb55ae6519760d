// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/table.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "examples/top/pagemap_table.h"

namespace top
{

__attribute__((format(printf, 1, 2))) static std::string format(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return line;
}

static std::string size(uint64_t bytes)
{
    static const char *const kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 9999.5 && unit + 1 < sizeof kUnits / sizeof kUnits[0]) {
        value /= 1024;
        unit++;
    }
    return unit == 0 ? format("%.0f B", value)
                     : format("%.*f %s", value < 99.95 ? 1 : 0, value, kUnits[unit]);
}

// How much more often updates have retried since `before`, by the second; "-" if that is not known.
static std::string retry_rate(const DomainSample &now, const DomainSample *before, double seconds)
{
    if (before == nullptr || before->error != 0 || now.retries < before->retries || seconds <= 0)
        return "-";
    return format("%.0f", static_cast<double>(now.retries - before->retries) / seconds);
}

// What stands behind the domain's name: who keeps it from reclaiming.
static std::string blocker(const DomainSample &domain)
{
    if (domain.blocker_tid == 0)
        return "nobody blocks";
    return format("blocked by %ld (%s), %u behind", domain.blocker_tid, domain.blocker_name.c_str(),
                  domain.blocker_behind);
}

// No line is longer than 80 columns.
static std::string domain_lines(const DomainSample &domain, const DomainSample *before, double seconds)
{
    if (domain.error != 0)
        return format("domain %s: %s\n", domain.id.c_str(), strerror(domain.error));
    return format("domain %s: %s\n", domain.id.c_str(), blocker(domain).c_str()) +
           format("  %7s %12s %12s %9s %10s %10s %10s\n", "threads", "epoch", "retries", "/s", "pending",
                  "nodes", "chunks") +
           format("  %7u %12lu %12lu %9s %10s %10s %10s\n", domain.threads, domain.epoch, domain.retries,
                  retry_rate(domain, before, seconds).c_str(), size(domain.pending_bytes).c_str(),
                  size(domain.node_bytes).c_str(), size(domain.chunk_bytes).c_str());
}

static std::string map_line(const MapSample &map)
{
    const std::string name = map.name.size() <= 22 ? map.name : map.name.substr(0, 21) + "~";
    if (map.error != 0)
        return format("  %-22s %s\n", name.c_str(), strerror(map.error));
    const double bytes_per_range =
        map.ranges > 0 ? static_cast<double>(map.bytes) / static_cast<double>(map.ranges) : 0;
    return format("  %-22s %6u %10lu %9lu %8lu %9s %8.1f\n", name.c_str(), map.height, map.ranges, map.leaves,
                  map.inner_nodes, size(map.bytes).c_str(), bytes_per_range);
}

// The largest first.
static std::vector<MapSample> sorted(std::vector<MapSample> maps)
{
    std::stable_sort(maps.begin(), maps.end(),
                     [](const MapSample &a, const MapSample &b) { return a.bytes > b.bytes; });
    return maps;
}

std::string table(const ProcessSample &now, const ProcessSample *before)
{
    std::string text = format("process %ld (%s)\n", now.pid, now.program.c_str());
    const double seconds =
        before != nullptr ? std::chrono::duration<double>(now.when - before->when).count() : 0;
    if (now.domains.empty() && !now.pagemap.is_published && now.stacks == nullptr)
        text += "  no map is published now\n";
    for (const DomainSample &domain : now.domains) {
        const DomainSample *older = nullptr;
        if (before != nullptr) {
            const auto found = std::find_if(before->domains.begin(), before->domains.end(),
                                            [&](const DomainSample &other) { return other.id == domain.id; });
            older = found != before->domains.end() ? &*found : nullptr;
        }
        text += domain_lines(domain, older, seconds);
        text += format("  %-22s %6s %10s %9s %8s %9s %8s\n", "map", "height", "ranges", "leaves", "inner",
                       "bytes", "B/range");
        for (const MapSample &map : sorted(domain.maps))
            text += map_line(map);
    }
    if (now.pagemap.is_published)
        text += pagemap_table(now.pagemap,
                              before != nullptr && before->pagemap.is_published ? &before->pagemap : nullptr,
                              seconds);
    if (now.stacks != nullptr)
        text += stacks_table(*now.stacks, before != nullptr ? before->stacks.get() : nullptr, seconds);
    return text;
}

const char *colour(const std::string &line)
{
    const auto begins = [&](const char *word) { return line.rfind(word, 0) == 0; };
    if (begins("domain ") && line.find(": blocked by ") != std::string::npos)
        return "\033[1;31m"; // red
    if (begins("process ") || begins("domain ") || begins("stacks: "))
        return "\033[1m"; // bold
    if (begins("  threads ") || begins("  map ") || begins("  samples "))
        return "\033[2m"; // dim
    return "";
}

} // namespace top
