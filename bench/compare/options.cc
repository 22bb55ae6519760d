// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "bench/arguments.h"
#include "bench/replay/sets/real_sets.h"
#include "bench/runfiles.h"
#include "bench/workload/team.h"

namespace bench
{

std::string options_help()
{
    return "usage: compare [OPTION...]\n"
           "\n"
           "Measures rangemap beside other maps, on the same ranges and keys, in turn. Every map is checked\n"
           "first. A row is named SET/WORKLOAD/MAP, as in "
           "mixed:65536/lookup_alone/random/hit/threads:1/maple.\n"
           "\n"
           "  --benchmark_filter=RE   only rows whose name the regular expression finds: a single row takes "
           "a\n"
           "                          few seconds (--benchmark_filter='mixed:4096/erase_insert/threads:1/')\n"
           "  --list                  print the names of the rows and stop\n"
           "  --shapes LIST           of mixed,pages,geoip,iomem,maps,elf,mmap (default: all)\n"
           "  --sizes LIST            ranges in a set (default: mixed 16,256,4096,65536,1048576, pages\n"
           "                          4096,65536)\n"
           "  --threads LIST          numbers of threads (default: 1, 2, 4 ... all processors)\n"
           "  --maps LIST             of "
           "rangemap,maple,xarray,std_map,btree_map,skip_list,sorted,eytzinger,\n"
           "                          eytzinger_interleaved (default: all)\n"
           "  --full                  everything: also 10,000,000 ranges, every kind of key with every kind "
           "of\n"
           "                          lookup and number of threads, all rows on pages and real sets; over an "
           "hour\n"
           "  --quick                 a few milliseconds a row, one repetition, small sets: a test of this "
           "program\n"
           "  --seconds S             length of one repetition (default: 0.02; latencies and garbage 5 times "
           "that)\n"
           "  --benchmark_repetitions=N   (default: 11)\n"
           "  --seed N                for random ranges and keys (default: 1)\n"
           "  --java PROGRAM          the Java virtual machine (default: java)\n"
           "  --jar FILE              skip_list.jar, where it does not lie among the files of `bazel run`\n"
           "  --json FILE             write all results there too; //bench:report makes a page of it\n"
           "  -h, --help              this text\n"
           "\n"
           "Exit status: 0; 1 after a wrong answer; 2 for a usage error or a file that cannot be written.\n"
           "Targets that are missed are reported and are no error.\n";
}

static std::vector<std::string> known_shapes()
{
    std::vector<std::string> shapes = {"mixed", "pages"};
    shapes.insert(shapes.end(), real_set_names().begin(), real_set_names().end());
    return shapes;
}

static const std::vector<std::string> kPeers = {kRangemap, kMaple,  kXArray,    kStdMap,     kBtreeMap,
                                                kSkipList, kSorted, kEytzinger, kInterleaved};

static std::vector<std::string> names(const std::string &option, const std::string &text,
                                      const std::vector<std::string> &known)
{
    std::vector<std::string> list = split_list(option, text);
    for (const std::string &item : list) {
        if (std::find(known.begin(), known.end(), item) == known.end())
            throw std::invalid_argument(option + ": there is no '" + item + "'");
    }
    return list;
}

enum {
    kHelp = 'h',
    kShapes = 256,
    kSizes,
    kThreads,
    kMaps,
    kFull,
    kQuick,
    kSeconds,
    kSeed,
    kJava,
    kJar,
    kJson,
    kList,
    kMemoryProbe
};

// The options that name what to measure; false if it is another.
static bool apply_selection(Options *options, int option, const std::string &text)
{
    if (option == kShapes)
        options->shapes = names("--shapes", text, known_shapes());
    else if (option == kSizes)
        options->sizes = options->page_sizes = number_list<uint64_t>("--sizes", text, 1, uint64_t{1} << 27);
    else if (option == kThreads)
        options->threads = number_list<unsigned>("--threads", text, 1, 256);
    else if (option == kMaps)
        options->peers = names("--maps", text, kPeers);
    else if (option == kMemoryProbe)
        options->memory_probe = text;
    else
        return false;
    return true;
}

static void apply(Options *options, int option, const char *argument)
{
    std::string text = argument == nullptr ? "" : argument;
    if (apply_selection(options, option, text))
        return;
    switch (option) {
    case kFull:
    case kQuick:
        break;
    case kSeconds:
        options->seconds = seconds("--seconds", text);
        break;
    case kSeed:
        options->seed = number("--seed", text, 0, UINT64_MAX);
        break;
    case kJava:
        options->java.java = text;
        break;
    case kJar:
        options->java.jar = user_path(text);
        break;
    case kJson:
        options->json = user_path(text);
        break;
    case kList:
        options->list = true;
        break;
    case kHelp:
        options->help = true;
        break;
    default:
        throw std::invalid_argument("see the message above");
    }
}

static std::vector<unsigned> default_threads()
{
    auto processors = static_cast<unsigned>(std::max<size_t>(1, allowed_processors().size()));
    std::vector<unsigned> threads;
    for (unsigned count = 1; count < processors; count *= 2)
        threads.push_back(count);
    threads.push_back(processors);
    return threads;
}

static void set_defaults(Options *options)
{
    if (options->shapes.empty())
        options->shapes = known_shapes();
    if (options->sizes.empty())
        options->sizes = {16, 256, 4096, 65536, 1048576};
    if (options->page_sizes.empty())
        options->page_sizes = {4096, 65536};
    if (options->threads.empty())
        options->threads = default_threads();
    if (options->peers.empty())
        options->peers = kPeers;
    if (options->java.jar.empty())
        options->java.jar = find_runfile("bench/java/skip_list.jar");
    std::sort(options->threads.begin(), options->threads.end());
    std::sort(options->sizes.begin(), options->sizes.end());
    std::sort(options->page_sizes.begin(), options->page_sizes.end());
}

static void apply_extent(Options *options, int option)
{
    if (option == kFull) {
        options->extent = Extent::kFull;
        options->sizes = options->page_sizes = {16, 256, 4096, 65536, 1048576, 10000000};
    } else if (option == kQuick) {
        options->sizes = {16, 600};
        options->page_sizes = {600};
        options->shapes = {"mixed", "pages", "mmap"};
        options->seconds = 0.002;
        options->java.warm_up_ms = 20;
    }
}

Options parse_options(int argc, char **argv)
{
    static const option kLong[] = {
        {"shapes", required_argument, nullptr, kShapes},
        {"sizes", required_argument, nullptr, kSizes},
        {"threads", required_argument, nullptr, kThreads},
        {"maps", required_argument, nullptr, kMaps},
        {"full", no_argument, nullptr, kFull},
        {"quick", no_argument, nullptr, kQuick},
        {"seconds", required_argument, nullptr, kSeconds},
        {"seed", required_argument, nullptr, kSeed},
        {"java", required_argument, nullptr, kJava},
        {"jar", required_argument, nullptr, kJar},
        {"json", required_argument, nullptr, kJson},
        {"list", no_argument, nullptr, kList},
        {"memory-probe", required_argument, nullptr, kMemoryProbe},
        {"help", no_argument, nullptr, kHelp},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    // --full and --quick set defaults that other options override wherever they stand.
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, "h", kLong, nullptr)) != -1;)
        apply_extent(&options, found);
    opterr = 1;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, "h", kLong, nullptr)) != -1;)
        apply(&options, found, optarg);
    if (argc > optind)
        throw std::invalid_argument(std::string("'") + argv[optind] + "' is not an option");
    set_defaults(&options);
    return options;
}

} // namespace bench
