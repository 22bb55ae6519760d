// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "bench/arguments.h"
#include "bench/runfiles.h"
#include "bench/workload/team.h"

namespace bench
{

static const char kExitStatus[] =
    "Exit status: 0; 1 after a wrong answer; 2 for a usage error or a file that cannot be read or written.\n"
    "Targets that are missed are reported and are no error.";

static void add_list(CLI::App &app, const std::string &name, std::vector<std::string> &list,
                     const std::vector<std::string> &known, const std::string &what)
{
    auto take = [name, &list, known](const std::string &text) {
        list = split_list(name, text);
        for (const std::string &item : list) {
            if (std::find(known.begin(), known.end(), item) == known.end())
                throw std::invalid_argument(name + ": there is no '" + item + "'");
        }
    };
    app.add_option_function<std::string>(name, take,
                                         what + " of " + CLI::detail::join(known) + " (default: all)")
        ->type_name("LIST");
}

template <class Number>
static void add_numbers(CLI::App &app, const std::string &name, std::vector<Number> &list, uint64_t least,
                        uint64_t most, const std::string &what)
{
    auto take = [name, &list, least, most](const std::string &text) {
        list = number_list<Number>(name, text, least, most);
    };
    app.add_option_function<std::string>(name, take, what)->type_name("LIST");
}

static void add_common(CLI::App &app, Options &options)
{
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.footer(kExitStatus);
    app.allow_extras();
    app.add_flag("--quick", "a few milliseconds a row, one repetition, small sets: a test of this program");
    add_numbers(app, "--threads", options.threads, 1, 256, "numbers of threads");
    add_numbers(app, "--sizes", options.sizes, 1, uint64_t{1} << 27, "ranges in synthetic sets");
    app.add_option("--seed", options.seed, "for random ranges and keys (default: 1)");
    app.add_option("--json", options.json, "write all results to this file too");
    app.add_option("--benchmark_filter", options.filter,
                   "only rows whose name, SET/WORKLOAD/MAP, this regular expression finds");
    app.add_flag("--list", options.list, "print the names of the rows and stop");
}

static void add_length(CLI::App &app, const std::string &name, Options &options)
{
    app.add_option(name, options.seconds,
                   "length of one repetition; of latencies and garbage 5 times that (default: " +
                       CLI::detail::to_string(options.seconds) + ")")
        ->check(CLI::Range(1e-9, 3600.0));
}

static bool holds_word(int argc, char **argv, const char *word)
{
    return std::find(argv, argv + argc, std::string(word)) != argv + argc;
}

// Messages of CLI11 in the form of our own.
static void parse(CLI::App &app, int argc, char **argv, Options &options)
{
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp &help) {
        exit(app.exit(help));
    } catch (const CLI::ParseError &error) {
        throw std::invalid_argument(error.what());
    }
    options.to_library = app.remaining();
    for (const std::string &rest : options.to_library) {
        if (rest.compare(0, 12, "--benchmark_") != 0)
            throw std::invalid_argument("'" + rest + "' is not an option");
    }
}

// Each once, ascending.
template <class Number> static void tidy(std::vector<Number> &numbers)
{
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

static void finish(Options &options)
{
    tidy(options.threads);
    tidy(options.sizes);
    tidy(options.page_sizes);
    tidy(options.pin_sizes);
    tidy(options.updates);
    for (std::string *path : {&options.files.geoip, &options.files.elf, &options.files.trace, &options.file,
                              &options.json, &options.java.jar})
        *path = user_path(*path);
    if (options.java.java.find('/') != std::string::npos)
        options.java.java = user_path(options.java.java);
}

static std::vector<std::string> sets_with(std::vector<std::string> names, const std::string &last)
{
    const std::vector<std::string> &real = real_set_names();
    names.insert(names.end(), real.begin(), real.end());
    if (!last.empty())
        names.push_back(last);
    return names;
}

Options parse_replay_options(int argc, char **argv)
{
    Options options;
    options.program = "replay";
    options.seconds = 0.03;
    options.repetitions = 3;
    options.synthetic_repetitions = 5;
    options.sizes = {16, 256, 4096, 65536, 1048576};
    options.updates = {0, 1, 10, 50};
    options.maps = {kRangemap, kStdMap, kBtreeMap};
    const std::vector<std::string> sets = sets_with({}, "synthetic");
    CLI::App app(
        "Loads real sets of ranges, checks every answer against an oracle, and measures rangemap beside\n"
        "std::map and absl::btree_map under a pthread_rwlock.",
        "replay");
    if (holds_word(argc, argv, "--quick")) { // what it sets gives way to other options
        options.seconds = 0.002;
        options.repetitions = options.synthetic_repetitions = 1;
        options.sizes = {16, 4096};
        options.updates = {0, 10};
    }
    add_common(app, options);
    add_length(app, "--seconds-per-cell", options);
    add_list(app, "--sets", options.sets, sets, "sets");
    add_numbers(app, "--updates", options.updates, 0, 99, "percentages of updates (default: 0,1,10,50)");
    unsigned repetitions = 0;
    app.add_option("--repetitions,--benchmark_repetitions", repetitions,
                   "of each measurement; the median counts (default: 3, synthetic 5)")
        ->check(CLI::Range(1, 1000));
    app.add_option("--geoip", options.files.geoip, "another database than that of tor-geoipdb");
    app.add_option("--elf", options.files.elf, "the ELF file whose functions are loaded");
    app.add_option("--trace", options.files.trace,
                   "a trace by bench/record_mmap instead of the one in bench/data");
    app.add_option("FILE", options.file, "\"start,last,value\" lines, which replace the sets");
    parse(app, argc, argv, options);
    if (repetitions != 0)
        options.repetitions = options.synthetic_repetitions = repetitions;
    if (options.sets.empty() && options.file.empty())
        options.sets = sets;
    if (options.threads.empty())
        options.threads = {1, static_cast<unsigned>(allowed_processors().size())};
    finish(options);
    return options;
}

static std::vector<unsigned> doubling_threads()
{
    auto processors = static_cast<unsigned>(std::max<size_t>(1, allowed_processors().size()));
    std::vector<unsigned> threads = {processors};
    for (unsigned count = 1; count < processors; count *= 2)
        threads.push_back(count);
    return threads;
}

static const std::vector<std::string> kShapes = {"mixed", "pages", "gaps", "pins"};

// What --full and --quick set gives way to other options.
static void apply_extent(int argc, char **argv, Options &options)
{
    options.sizes = {16, 256, 4096, 65536, 1048576};
    options.page_sizes = {4096, 65536};
    options.pin_sizes = {64, 4096};
    options.sets = sets_with(kShapes, "");
    options.threads = doubling_threads();
    if (holds_word(argc, argv, "--full")) {
        options.extent = Extent::kFull;
        options.sizes = options.page_sizes = {16, 256, 4096, 65536, 1048576, 10000000};
    }
    if (holds_word(argc, argv, "--quick")) {
        options.sizes = {16, 600};
        options.page_sizes = {600};
        options.pin_sizes = {64};
        options.sets = {"mixed", "pages", "gaps", "pins", "mmap"};
        options.seconds = 0.002;
        options.repetitions = 1;
        options.java.warm_up_ms = 20;
    }
}

Options parse_compare_options(int argc, char **argv, std::vector<std::string> maps)
{
    Options options;
    options.program = "compare";
    apply_extent(argc, argv, options);
    options.maps = std::move(maps);
    CLI::App app(
        "Measures rangemap beside other maps, on the same ranges and keys, in turn. Every map is checked "
        "first.\n"
        "A row is named SET/WORKLOAD/MAP, as in mixed:65536/lookup_alone/random/hit/threads:1/maple.",
        "compare");
    add_common(app, options);
    add_length(app, "--seconds", options);
    add_list(app, "--shapes", options.sets, sets_with(kShapes, ""), "sets");
    add_list(app, "--maps", options.maps, options.maps, "maps");
    app.add_flag(
        "--full",
        "everything: also 10,000,000 ranges, every kind of key with every kind of lookup and number of\n"
        "threads, all rows on pages and real sets; over an hour");
    app.add_option("--benchmark_repetitions", options.repetitions, "(default: 11)")
        ->check(CLI::Range(1, 100000));
    app.add_option("--java", options.java.java, "the Java virtual machine (default: java)");
    app.add_option("--jar", options.java.jar,
                   "skip_list.jar, where it is not among the files of `bazel run`");
    app.add_option("--memory-probe", options.memory_probe)->group("");
    parse(app, argc, argv, options);
    if (app.count("--sizes") > 0)
        options.page_sizes = options.pin_sizes = options.sizes;
    options.synthetic_repetitions = options.repetitions;
    finish(options);
    if (options.java.jar.empty())
        options.java.jar = find_runfile("bench/java/skip_list.jar");
    return options;
}

} // namespace bench
