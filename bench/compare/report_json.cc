// SPDX-License-Identifier: BSD-2-Clause
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bench/compare/report.h"

namespace bench
{

using Json = nlohmann::ordered_json;

static Json json_of(const Result &result)
{
    Json json = {{"set", result.stage},      {"shape", result.shape}, {"ranges", result.ranges},
                 {"row", result.row},        {"map", result.peer},    {"title", result.title},
                 {"threads", result.threads}};
    for (const auto &[what, spread] : result.values)
        json["values"][what] = {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
    for (const auto &[fraction, ns] : result.curve)
        json["curve"].push_back({fraction, ns});
    return json;
}

static Json json_of(const Target &target)
{
    return {{"what", target.what},   {"ranges", target.ranges},
            {"unit", target.unit},   {"measured", target.measured},
            {"limit", target.limit}, {"wanted", target.at_least ? "at least" : "at most"},
            {"met", target.met},     {"note", target.note}};
}

void write_json(const Run &run, const Options &options, const Results &results,
                const std::vector<Target> &targets)
{
    Json json = {{"program", "rangemap bench/compare"}};
    for (const auto &[name, text] : run.facts)
        json["machine"][name] = text;
    json["method"] = {{"seconds_per_repetition", options.seconds},
                      {"repetitions", run.repetitions},
                      {"seed", options.seed},
                      {"threads_pinned", run.pinned},
                      {"batch_keys", kBatchKeys},
                      {"section_keys", kHeldKeys}};
    for (const auto &[name, source] : run.sets)
        json["sets"][name] = source;
    json["left_out"] = Json::object();
    for (const auto &[what, why] : run.left_out)
        json["left_out"][what] = why;
    json["results"] = Json::array();
    for (const Result &result : results)
        json["results"].push_back(json_of(result));
    json["targets"] = Json::array();
    for (const Target &target : targets)
        json["targets"].push_back(json_of(target));
    errno = 0;
    std::ofstream file(options.json);
    file << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
    file.close();
    if (!file)
        throw std::system_error(errno, std::generic_category(), options.json);
}

} // namespace bench
