// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/report_json.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

namespace bench
{

using Json = nlohmann::ordered_json;

static Json json_of(const Spread &spread)
{
    return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

static Json json_of(const LoadCell &cell)
{
    return {{"subject", cell.subject},
            {"bulk_seconds", json_of(cell.bulk_seconds)},
            {"insert_seconds", cell.insert_seconds},
            {"bulk_bytes_per_range", cell.bulk_bytes_per_range},
            {"insert_bytes_per_range", cell.insert_bytes_per_range}};
}

static Json json_of(const ReplayCell &cell)
{
    return {{"subject", cell.subject}, {"actions_per_second", json_of(cell.actions)}};
}

static Json json_of(const RateCell &cell)
{
    return {{"subject", cell.subject},
            {"mode", mode_name(cell.plan.mode)},
            {"threads", cell.plan.threads},
            {"update_percent", cell.plan.update_percent},
            {"lookups_per_second", json_of(cell.lookups)},
            {"updates_per_second", json_of(cell.updates)},
            {"operations_per_second", json_of(cell.operations)}};
}

static Json json_of(const LatencyCell &cell)
{
    return {{"subject", cell.subject}, {"threads", cell.threads}, {"update_percent", cell.update_percent},
            {"samples", cell.samples}, {"p50_ns", cell.p50},      {"p99_ns", cell.p99},
            {"p99.9_ns", cell.p999}};
}

static Json json_of(const Target &target)
{
    return {{"what", target.what},   {"ranges", target.ranges},
            {"unit", target.unit},   {"measured", target.measured},
            {"limit", target.limit}, {"wanted", target.at_least ? "at least" : "at most"},
            {"met", target.met}};
}

template <class Item> static Json json_list(const std::vector<Item> &items)
{
    Json list = Json::array();
    for (const Item &item : items)
        list.push_back(json_of(item));
    return list;
}

static Json json_of(const SetResult &result)
{
    Json json = {{"name", result.name}, {"source", result.source}};
    if (!result.skipped.empty())
        json["skipped"] = result.skipped;
    json["notes"] = result.notes;
    json["malformed_lines"] = result.malformed;
    json["ranges"] = result.ranges;
    json["actions"] = result.actions;
    json["answers_checked"] = result.answers;
    json["wrong_answers"] = result.mismatches;
    json["loads"] = json_list(result.loads);
    json["replays"] = json_list(result.replays);
    json["rates"] = json_list(result.rates);
    json["latencies"] = json_list(result.latencies);
    return json;
}

void write_json(const std::string &path, const MachineFacts &facts, const Options &options,
                const std::vector<SetResult> &results, const std::vector<Target> &targets)
{
    Json json;
    for (const auto &[name, text] : facts)
        json["machine"][name] = text;
    json["method"] = {{"seconds_per_cell", options.seconds_per_cell},
                      {"repetitions", options.repetitions},
                      {"synthetic_repetitions", options.synthetic_repetitions},
                      {"seed", options.seed},
                      {"batch_keys", kBatchKeys},
                      {"held_keys", kHeldKeys}};
    json["sets"] = json_list(results);
    json["targets"] = json_list(targets);
    errno = 0;
    std::ofstream file(path);
    // Names of files and symbols may hold any bytes: what is no UTF-8 is replaced.
    file << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
    file.close();
    if (!file)
        throw std::system_error(errno, std::generic_category(), path);
}

} // namespace bench
