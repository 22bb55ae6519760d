// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/report.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "bench/text_table.h"

namespace bench::cores
{

static std::string fixed(double value, int decimals)
{
    char text[40];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

static std::string significant(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.4g", value);
    return text;
}

static bool is_alike(const Result &one, const Result &other)
{
    return one.machine == other.machine && one.experiment.ranges == other.experiment.ranges;
}

static const Result *find(const std::vector<Result> &results, const Result &like, const std::string &mix,
                          unsigned threads)
{
    for (const Result &result : results) {
        if (is_alike(result, like) && result.experiment.mix.name == mix &&
            result.experiment.threads == threads)
            return &result;
    }
    return nullptr;
}

static std::string rate(const std::vector<Result> &results, const Result &result)
{
    const Result *one = find(results, result, result.experiment.mix.name, 1);
    std::string text = significant(result.outcome.per_second / 1e6);
    if (one == nullptr || one == &result)
        return text;
    return text + " (" + fixed(result.outcome.per_second / one->outcome.per_second, 1) + ")";
}

static void print_one(const std::vector<Result> &results, const Result &like, FILE *out)
{
    std::set<unsigned> threads;
    std::vector<std::string> names, head = {"mix \\ threads"};
    for (const Result &result : results) {
        if (!is_alike(result, like))
            continue;
        threads.insert(result.experiment.threads);
        if (names.empty() || names.back() != result.experiment.mix.name)
            names.push_back(result.experiment.mix.name);
    }
    for (unsigned count : threads)
        head.push_back(std::to_string(count));
    TextTable table(head);
    for (const std::string &name : names) {
        std::vector<std::string> row = {name};
        for (unsigned count : threads) {
            const Result *result = find(results, like, name, count);
            row.push_back(result != nullptr ? rate(results, *result) : "");
        }
        table.add(row);
    }
    fprintf(out, "\nPredicted for %s, %zu ranges: millions of operations a second (times one thread)\n\n",
            machine_named(like.machine).what.c_str(), like.experiment.ranges);
    table.print(out);
}

void print_table(const std::vector<Result> &results, FILE *out)
{
    for (size_t i = 0; i < results.size(); i++) {
        if (i == 0 || !is_alike(results[i], results[i - 1]))
            print_one(results, results[i], out);
    }
}

static double share(const Outcome &outcome, Ps time)
{
    return outcome.time > 0 ? static_cast<double>(time) / static_cast<double>(outcome.time) : 0;
}

static double per_operation(const Outcome &outcome, uint64_t count)
{
    return outcome.operations() > 0 ? static_cast<double>(count) / static_cast<double>(outcome.operations())
                                    : 0;
}

void print_lines(const std::vector<Result> &results, FILE *out)
{
    unsigned most = 0;
    for (const Result &result : results)
        most = std::max(most, result.experiment.threads);
    for (const Result &result : results) {
        if (result.experiment.threads != most)
            continue;
        TextTable table({"lines", "transfers/op", "fetches/op", "% of time"});
        for (unsigned i = 0; i < CORES_LINES; i++) {
            const LineCosts &costs = result.outcome.costs[i];
            if (costs.transfers + costs.fetches > 0)
                table.add({cores_line_names[i], fixed(per_operation(result.outcome, costs.transfers), 4),
                           fixed(per_operation(result.outcome, costs.fetches), 4),
                           fixed(100 * share(result.outcome, costs.waited), 1)});
        }
        fprintf(out, "\n%s, %u threads, %s, %zu ranges; at most %.0f KiB of garbage a thread\n\n",
                result.machine.c_str(), most, result.experiment.mix.name.c_str(), result.experiment.ranges,
                static_cast<double>(result.outcome.most_pending_bytes) / 1024 / most);
        table.print(out);
    }
}

using Json = nlohmann::ordered_json;

static Json json_of(const Machine &machine)
{
    return {{"name", machine.name},        {"what", machine.what},
            {"source", machine.source},    {"assumed", machine.assumed},
            {"step_ps", machine.step},     {"call_ps", machine.call},
            {"l2_hit_ps", machine.l2_hit}, {"l3_hit_ps", machine.l3_hit},
            {"memory_ps", machine.memory}, {"transfer_ps", machine.transfer},
            {"atomic_ps", machine.atomic}, {"update_ps", machine.update}};
}

static Json json_of(const Result &result)
{
    const Outcome &outcome = result.outcome;
    Json json = {{"machine", result.machine},
                 {"mix", result.experiment.mix.name},
                 {"ranges", result.experiment.ranges},
                 {"threads", result.experiment.threads},
                 {"sockets", result.experiment.sockets},
                 {"operations_per_second", outcome.per_second},
                 {"lookups", outcome.lookups},
                 {"updates", outcome.updates},
                 {"most_pending_bytes", outcome.most_pending_bytes}};
    for (unsigned i = 0; i < CORES_LINES; i++) {
        const LineCosts &costs = outcome.costs[i];
        json["lines"][cores_line_names[i]] = {
            {"transfers_per_operation", per_operation(outcome, costs.transfers)},
            {"fetches_per_operation", per_operation(outcome, costs.fetches)},
            {"share_of_time", share(outcome, costs.waited)}};
    }
    return json;
}

void write_json(const std::vector<Result> &results, const Options &options)
{
    Json json = {{"program", "rangemap bench/cores"}, {"seed", options.seed}};
    json["machines"] = Json::array();
    for (const std::string &name : options.machines)
        json["machines"].push_back(json_of(machine_named(name)));
    json["results"] = Json::array();
    for (const Result &result : results)
        json["results"].push_back(json_of(result));
    errno = 0;
    std::ofstream file(options.json);
    file << json.dump(1) << '\n';
    file.close();
    if (!file)
        throw std::system_error(errno, std::generic_category(), options.json);
}

} // namespace bench::cores
