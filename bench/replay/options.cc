// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/options.h"

#include <getopt.h>

#include <algorithm>
#include <stdexcept>

#include "bench/arguments.h"
#include "bench/workload/team.h"

namespace bench
{

static const std::vector<std::string> kSets = {"geoip", "iomem", "maps", "elf", "mmap", "synthetic"};

std::string options_help()
{
    return "usage: replay [OPTION...] [FILE]\n"
           "\n"
           "Loads real sets of ranges, checks every answer against an oracle, and measures rangemap beside\n"
           "std::map and absl::btree_map under a pthread_rwlock. FILE (\"start,last,value\" lines) replaces "
           "the sets.\n"
           "\n"
           "  --sets LIST             of geoip,iomem,maps,elf,mmap,synthetic (default: all)\n"
           "  --threads LIST          numbers of threads (default: 1 and the number of processors)\n"
           "  --updates LIST          percentages of updates, 0 to 99 (default: 0,1,10,50)\n"
           "  --sizes LIST            of the synthetic series (default: 16,256,4096,65536,1048576)\n"
           "  --seconds-per-cell S    length of one measurement (default: 0.03)\n"
           "  --repetitions N         of each measurement; the median counts (default: 3, synthetic 5)\n"
           "  --seed N                for random keys and ranges (default: 1)\n"
           "  --quick                 a few milliseconds for each measurement, small sizes: a test of this "
           "program\n"
           "  --geoip FILE            another database than that of tor-geoipdb\n"
           "  --elf FILE              the ELF file whose functions are loaded\n"
           "  --trace FILE            a trace by bench/record_mmap instead of the one in bench/data\n"
           "  --json FILE             write all results there too\n"
           "  -h, --help              this text\n"
           "\n"
           "Exit status: 0; 1 after a wrong answer; 2 for a usage error or a file that cannot be read or "
           "written.\n"
           "Targets that are missed are reported and are no error.\n";
}

static std::vector<std::string> set_list(const std::string &text)
{
    std::vector<std::string> sets = split_list("--sets", text);
    for (const std::string &set : sets) {
        if (std::find(kSets.begin(), kSets.end(), set) == kSets.end())
            throw std::invalid_argument("--sets: there is no set '" + set + "'");
    }
    return sets;
}

static void make_quick(Options *options)
{
    options->seconds_per_cell = 0.002;
    options->repetitions = options->synthetic_repetitions = 1;
    options->sizes = {16, 4096};
    options->updates = {0, 10};
}

enum {
    kHelp = 'h',
    kSetsOption = 256,
    kThreads,
    kUpdates,
    kSizes,
    kSeconds,
    kRepetitions,
    kSeed,
    kQuick,
    kGeoip,
    kElf,
    kTrace,
    kJson
};

static void apply_option(Options *options, int option, const char *argument)
{
    std::string text = argument == nullptr ? "" : argument;
    switch (option) {
    case kSetsOption:
        options->sets = set_list(text);
        break;
    case kThreads:
        options->threads = number_list<unsigned>("--threads", text, 1, 256);
        break;
    case kUpdates:
        options->updates = number_list<unsigned>("--updates", text, 0, 99);
        break;
    case kSizes:
        options->sizes = number_list<uint64_t>("--sizes", text, 1, uint64_t{1} << 27);
        break;
    case kSeconds:
        options->seconds_per_cell = seconds("--seconds-per-cell", text);
        break;
    case kRepetitions:
        options->repetitions = static_cast<unsigned>(number("--repetitions", text, 1, 1000));
        options->synthetic_repetitions = options->repetitions;
        break;
    case kSeed:
        options->seed = number("--seed", text, 0, UINT64_MAX);
        break;
    case kGeoip:
        options->geoip = user_path(text);
        break;
    case kElf:
        options->elf = user_path(text);
        break;
    case kTrace:
        options->trace = user_path(text);
        break;
    case kJson:
        options->json = user_path(text);
        break;
    case kHelp:
        options->help = true;
        break;
    default:
        throw std::invalid_argument("see the message above");
    }
}

static void set_defaults(Options *options)
{
    if (options->threads.empty()) {
        options->threads = {1};
        auto processors = static_cast<unsigned>(allowed_processors().size());
        if (processors > 1)
            options->threads.push_back(processors);
    }
    if (options->sets.empty() && options->file.empty())
        options->sets = kSets;
    std::sort(options->threads.begin(), options->threads.end());
    std::sort(options->updates.begin(), options->updates.end());
    std::sort(options->sizes.begin(), options->sizes.end());
}

Options parse_options(int argc, char **argv)
{
    static const option kLong[] = {
        {"sets", required_argument, nullptr, kSetsOption},
        {"threads", required_argument, nullptr, kThreads},
        {"updates", required_argument, nullptr, kUpdates},
        {"sizes", required_argument, nullptr, kSizes},
        {"seconds-per-cell", required_argument, nullptr, kSeconds},
        {"repetitions", required_argument, nullptr, kRepetitions},
        {"seed", required_argument, nullptr, kSeed},
        {"quick", no_argument, nullptr, kQuick},
        {"geoip", required_argument, nullptr, kGeoip},
        {"elf", required_argument, nullptr, kElf},
        {"trace", required_argument, nullptr, kTrace},
        {"json", required_argument, nullptr, kJson},
        {"help", no_argument, nullptr, kHelp},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    // --quick sets defaults that other options override wherever they stand, so it is looked for first.
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, "h", kLong, nullptr)) != -1;) {
        if (found == kQuick)
            make_quick(&options);
    }
    opterr = 1;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, "h", kLong, nullptr)) != -1;) {
        if (found != kQuick)
            apply_option(&options, found, optarg);
    }
    if (argc - optind > 1)
        throw std::invalid_argument("more than one file is given");
    if (argc > optind)
        options.file = user_path(argv[optind]);
    set_defaults(&options);
    return options;
}

bool wants_set(const Options &options, const std::string &name)
{
    return std::find(options.sets.begin(), options.sets.end(), name) != options.sets.end();
}

} // namespace bench
