// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/table.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

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

static std::string blocker(const DomainSample &domain)
{
    if (domain.blocker_tid == 0)
        return "-";
    return format("%ld (%s), %u behind", domain.blocker_tid, domain.blocker_name.c_str(),
                  domain.blocker_behind);
}

static std::string domain_lines(const DomainSample &domain, const DomainSample *before, double seconds)
{
    const std::string head =
        format("%-26s %8s %10s %10s %9s %9s %9s %9s  %s\n", ("domain " + domain.id).c_str(), "threads",
               "epoch", "retries", "/s", "pending", "nodes", "chunks", "blocked by");
    if (domain.error != 0)
        return head + "  " + strerror(domain.error) + "\n";
    return head + format("%-26s %8u %10lu %10lu %9s %9s %9s %9s  %s\n", "", domain.threads, domain.epoch,
                         domain.retries, retry_rate(domain, before, seconds).c_str(),
                         size(domain.pending_bytes).c_str(), size(domain.node_bytes).c_str(),
                         size(domain.chunk_bytes).c_str(), blocker(domain).c_str());
}

static std::string map_line(const MapSample &map)
{
    if (map.error != 0)
        return format("  %-24s %s\n", map.name.c_str(), strerror(map.error));
    const double bytes_per_range =
        map.ranges > 0 ? static_cast<double>(map.bytes) / static_cast<double>(map.ranges) : 0;
    return format("  %-24s %8u %10lu %10lu %9lu %9s %9.1f\n", map.name.c_str(), map.height, map.ranges,
                  map.leaves, map.inner_nodes, size(map.bytes).c_str(), bytes_per_range);
}

std::string table(const ProcessSample &now, const ProcessSample *before)
{
    std::string text = format("process %ld (%s)\n", now.pid, now.program.c_str());
    const double seconds =
        before != nullptr ? std::chrono::duration<double>(now.when - before->when).count() : 0;
    if (now.domains.empty())
        text += "  no map is published now\n";
    for (const DomainSample &domain : now.domains) {
        const DomainSample *older = nullptr;
        if (before != nullptr) {
            const auto found = std::find_if(before->domains.begin(), before->domains.end(),
                                            [&](const DomainSample &other) { return other.id == domain.id; });
            older = found != before->domains.end() ? &*found : nullptr;
        }
        text += domain_lines(domain, older, seconds);
        text += format("  %-24s %8s %10s %10s %9s %9s %9s\n", "map", "height", "ranges", "leaves", "inner",
                       "bytes", "B/range");
        for (const MapSample &map : domain.maps)
            text += map_line(map);
    }
    return text;
}

} // namespace top
