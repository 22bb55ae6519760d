// SPDX-License-Identifier: BSD-2-Clause
/*
 * regcache: find-and-pin of examples/regcache beside the same cache with a lock round an ordered tree. See
 * bench/README.md.
 */
#include <getopt.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "bench/arguments.h"
#include "bench/machine.h"
#include "bench/regcache/measure.h"
#include "bench/text_table.h"

namespace bench
{

struct Options {
    std::vector<uint64_t> buffers = {64, 4096};
    std::vector<unsigned> threads = {1, 2};
    std::vector<unsigned> invalidations = {0, 1, 10};
    double seconds = 0.1;
    unsigned repetitions = 7;
    uint64_t seed = 1;
    std::string json;
    bool help = false;
};

static const char kHelp[] =
    "usage: regcache [OPTION...]\n"
    "\n"
    "Threads pin and unpin random buffers of a cache of registrations; now and then one is invalidated, and\n"
    "registered anew by the next pin. The cache of examples/regcache beside the same with a lock.\n"
    "\n"
    "  --buffers LIST        how many (default: 64,4096)\n"
    "  --threads LIST        (default: 1,2)\n"
    "  --invalidations LIST  of 1000 operations (default: 0,1,10)\n"
    "  --seconds S           length of one measurement (default: 0.1)\n"
    "  --repetitions N       the median counts (default: 7)\n"
    "  --seed N              (default: 1)\n"
    "  --json FILE           write the results there too\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit status: 0; 1 if a cache is wrong; 2 for a usage error or a file that cannot be written.\n";

static Options parse_options(int argc, char **argv)
{
    static const option kLong[] = {
        {"buffers", required_argument, nullptr, 'b'},
        {"threads", required_argument, nullptr, 't'},
        {"invalidations", required_argument, nullptr, 'i'},
        {"seconds", required_argument, nullptr, 's'},
        {"repetitions", required_argument, nullptr, 'r'},
        {"seed", required_argument, nullptr, 'd'},
        {"json", required_argument, nullptr, 'j'},
        {"help", no_argument, nullptr, 'h'},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    for (int found; (found = getopt_long(argc, argv, "h", kLong, nullptr)) != -1;) {
        std::string text = optarg == nullptr ? "" : optarg;
        if (found == 'b')
            options.buffers = number_list<uint64_t>("--buffers", text, 1, uint64_t{1} << 24);
        else if (found == 't')
            options.threads = number_list<unsigned>("--threads", text, 1, 256);
        else if (found == 'i')
            options.invalidations = number_list<unsigned>("--invalidations", text, 0, 999);
        else if (found == 's')
            options.seconds = seconds("--seconds", text);
        else if (found == 'r')
            options.repetitions = static_cast<unsigned>(number("--repetitions", text, 1, 1000));
        else if (found == 'd')
            options.seed = number("--seed", text, 0, UINT64_MAX);
        else if (found == 'j')
            options.json = user_path(text);
        else if (found == 'h')
            options.help = true;
        else
            throw std::invalid_argument("see the message above");
    }
    if (argc > optind)
        throw std::invalid_argument("'" + std::string(argv[optind]) + "' is no option");
    return options;
}

static std::string millions(const Spread &spread)
{
    char text[64];
    snprintf(text, sizeof text, "%.1f (%.1f..%.1f)", spread.median / 1e6, spread.min / 1e6, spread.max / 1e6);
    return text;
}

static void print_table(const std::vector<std::vector<Cell>> &rows)
{
    std::vector<std::string> head = {"buffers", "threads", "invalidations"};
    for (const std::string &name : cache_names())
        head.push_back(name);
    TextTable table(head);
    for (const std::vector<Cell> &cells : rows) {
        const Plan &plan = cells[0].plan;
        std::vector<std::string> row = {std::to_string(plan.buffers), std::to_string(plan.threads),
                                        std::to_string(plan.invalidations) + " of 1000"};
        for (const Cell &cell : cells)
            row.push_back(millions(cell.pins_per_second));
        table.add(row);
    }
    table.print(stdout);
}

static void write_json(const Options &options, const MachineFacts &facts,
                       const std::vector<std::vector<Cell>> &rows)
{
    nlohmann::ordered_json json;
    for (const auto &[name, text] : facts)
        json["machine"][name] = text;
    json["method"] = {
        {"seconds", options.seconds}, {"repetitions", options.repetitions}, {"seed", options.seed}};
    json["rates"] = nlohmann::ordered_json::array();
    for (const std::vector<Cell> &cells : rows) {
        for (const Cell &cell : cells) {
            json["rates"].push_back({{"cache", cell.cache},
                                     {"buffers", cell.plan.buffers},
                                     {"threads", cell.plan.threads},
                                     {"invalidations_per_1000", cell.plan.invalidations},
                                     {"pins_per_second",
                                      {{"median", cell.pins_per_second.median},
                                       {"min", cell.pins_per_second.min},
                                       {"max", cell.pins_per_second.max}}}});
        }
    }
    errno = 0;
    std::ofstream file(options.json);
    file << json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    file.close();
    if (!file)
        throw std::system_error(errno, std::generic_category(), options.json);
}

static void run(const Options &options)
{
    MachineFacts facts = machine_facts();
    for (const auto &[name, text] : facts)
        printf("%-12s %s\n", name.c_str(), text.c_str());
    Team team(*std::max_element(options.threads.begin(), options.threads.end()));
    printf("%-12s %s\n\n", "threads", team.pinned() ? "pinned" : "not pinned: too few processors");
    std::vector<std::vector<Cell>> rows;
    for (uint64_t buffers : options.buffers) {
        for (unsigned threads : options.threads) {
            for (unsigned invalidations : options.invalidations) {
                rows.push_back(measure({buffers, threads, invalidations}, team, options.seconds,
                                       options.repetitions, options.seed));
            }
        }
    }
    printf("Millions of pins a second, all threads together: median of %u (least..most)\n",
           options.repetitions);
    print_table(rows);
    if (!options.json.empty())
        write_json(options, facts, rows);
}

} // namespace bench

int main(int argc, char **argv)
{
    try {
        bench::Options options = bench::parse_options(argc, argv);
        if (options.help)
            fputs(bench::kHelp, stdout);
        else
            bench::run(options);
        return 0;
    } catch (const std::logic_error &error) {
        bool is_usage = dynamic_cast<const std::invalid_argument *>(&error) != nullptr;
        fprintf(stderr, "regcache: %s\n%s", error.what(), is_usage ? "Try regcache --help.\n" : "");
        return is_usage ? 2 : 1;
    } catch (const std::exception &error) {
        fprintf(stderr, "regcache: %s\n", error.what());
        return 2;
    }
}
