// SPDX-License-Identifier: BSD-2-Clause
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bench/core/report.h"

namespace bench
{

using Json = nlohmann::ordered_json;

static Json json_of(const SetFacts &set)
{
    Json json = {{"name", set.name},
                 {"source", set.source},
                 {"notes", set.notes},
                 {"malformed_lines", set.malformed},
                 {"ranges", set.ranges},
                 {"actions", set.actions},
                 {"answers_checked", set.answers},
                 {"wrong_answers", set.wrong}};
    if (!set.skipped.empty())
        json["skipped"] = set.skipped;
    return json;
}

static Json json_of(const Result &result)
{
    Json json = {{"set", result.set},         {"shape", result.shape},   {"ranges", result.ranges},
                 {"row", result.row},         {"map", result.subject},   {"title", result.title},
                 {"threads", result.threads}, {"values", Json::object()}};
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

template <class Item> static Json json_list(const std::vector<Item> &items)
{
    Json list = Json::array();
    for (const Item &item : items)
        list.push_back(json_of(item));
    return list;
}

void write_json(const Run &run, const Options &options)
{
    Json json = {{"program", "rangemap bench/" + options.program}};
    for (const auto &[name, text] : run.facts)
        json["machine"][name] = text;
    json["method"] = {{"seconds_per_repetition", options.seconds},
                      {"repetitions", options.repetitions},
                      {"synthetic_repetitions", options.synthetic_repetitions},
                      {"seed", options.seed},
                      {"threads_pinned", run.pinned},
                      {"batch_keys", kBatchKeys},
                      {"section_keys", kHeldKeys}};
    json["sets"] = json_list(run.sets);
    json["left_out"] = Json::object();
    for (const auto &[what, why] : run.left_out)
        json["left_out"][what] = why;
    json["results"] = json_list(run.results);
    json["targets"] = json_list(run.targets);
    errno = 0;
    std::ofstream file(options.json);
    // Names of files and symbols may hold any bytes: what is no UTF-8 is replaced.
    file << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
    file.close();
    if (!file)
        throw std::system_error(errno, std::generic_category(), options.json);
}

} // namespace bench
