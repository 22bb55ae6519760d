// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/pagemap_table.h"

namespace top
{

// A counter that the process's version does not have is 0.
static uint64_t counter(const PagemapSample &sample, const std::string &name)
{
    const auto found = sample.counters.find(name);
    return found != sample.counters.end() ? found->second : 0;
}

static std::string right(const std::string &text, size_t width)
{
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

static std::string left(const std::string &text, size_t width)
{
    return text + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

// In `width` columns with a blank before it; what does not fit, in thousands, millions, ..
static std::string number(uint64_t value, size_t width)
{
    static const char *const kUnits[] = {"", "k", "M", "G", "T", "P"};
    std::string text = std::to_string(value);
    for (size_t unit = 1; text.size() >= width && unit < sizeof kUnits / sizeof kUnits[0]; unit++) {
        value /= 1000;
        text = std::to_string(value) + kUnits[unit];
    }
    return right(text, width);
}

struct Column {
    const char *title, *counter;
};

// Two lines: titles and numbers.
static std::string row(const PagemapSample &now, const std::string &name, const std::vector<Column> &columns)
{
    std::string titles = left("  " + name, 12), numbers = left("", 12);
    for (const Column &column : columns) {
        titles += right(column.title, 11);
        numbers += number(counter(now, column.counter), 11);
    }
    return titles + "\n" + numbers + "\n";
}

// How many now, in all, and by the second.
static std::string flow(const PagemapSample &now, const PagemapSample *before, double seconds,
                        const std::string &name)
{
    const uint64_t total = counter(now, name);
    std::string rate = "-";
    if (before != nullptr && seconds > 0 && total >= counter(*before, name)) {
        const double change = static_cast<double>(total - counter(*before, name));
        rate = std::to_string(static_cast<uint64_t>(change / seconds + 0.5));
    }
    return left("  " + name, 12) + number(counter(now, name + "_now"), 11) + number(total, 11) +
           right(rate, 11) + "\n";
}

static std::string device_line(const DeviceSample &device)
{
    return "  " + left(device.start, 17) + " " + left(device.end, 17) + " " + left(device.type, 8) +
           right(std::to_string(device.range + 1) + "/" + std::to_string(device.ranges), 8) +
           number(device.references, 11) + (device.is_dying ? "  dying" : "") + "\n";
}

static std::string devices(const PagemapSample &now)
{
    std::string text = "  " + left("device", 17) + " " + left("to", 17) + " " + left("type", 8) +
                       right("range", 8) + right("references", 11) + "\n";
    for (const DeviceSample &device : now.devices)
        text += device_line(device);
    return now.devices.empty() ? "  no device is mapped now\n" : text;
}

std::string pagemap_table(const PagemapSample &now, const PagemapSample *before, double seconds)
{
    std::string text = left("pagemap", 12) + right("now", 11) + right("total", 11) + right("/s", 11) + "\n";
    for (const char *name : {"devices", "pins", "exports", "waits"})
        text += flow(now, before, seconds, name);
    text += "  longest wait " + std::to_string(counter(now, "longest_wait_ns") / 1000000) +
            " ms, devices refused " + std::to_string(counter(now, "devices_refused")) + "\n";
    text += row(now, "revoked",
                {{"uffd", "revoked_by_uffd"},
                 {"overlay", "revoked_by_overlay"},
                 {"whole view", "revoked_whole_view"},
                 {"closed", "revoked_by_closing"},
                 {"denied", "revoked_by_denying"},
                 {"fell back", "views_fallen_back"}});
    text += row(now, "slow pins",
                {{"retries", "gup_retries"}, {"locked", "gup_locked"}, {"migrated", "gup_migrations"}});
    text += row(now, "refused",
                {{"no view", "refused_no_view"},
                 {"absent", "refused_absent"},
                 {"read-only", "refused_read_only"},
                 {"killed", "refused_killed"},
                 {"poisoned", "refused_poisoned"}});
    text += row(now, "",
                {{"long-term", "refused_longterm"},
                 {"migration", "refused_migration"},
                 {"would wait", "refused_would_wait"},
                 {"no memory", "refused_no_memory"},
                 {"invalid", "refused_invalid"},
                 {"a peer's", "refused_p2pdma"}});
    text +=
        row(now, "broken",
            {{"pages", "memory_failures"}, {"SIGBUS", "sigbus_noted"}, {"not noted", "sigbus_not_noted"}});
    return text + devices(now);
}

} // namespace top
