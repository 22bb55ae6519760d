// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/options.h"

#include <getopt.h>

#include <algorithm>
#include <stdexcept>

#include "bench/arguments.h"

namespace bench::cores
{

std::string options_help()
{
    std::string text =
        "usage: cores [OPTION...]\n"
        "\n"
        "Predicts how rangemap scales: runs its own code on simulated machines of many cores, with a\n"
        "model of their caches. The same arguments give the same figures, whatever runs this.\n"
        "\n"
        "  --threads LIST    1 to 256 (default: 1,2,4,8,16,32,64)\n"
        "  --sockets N       over which they are spread, 1 to 2 (default: 2)\n"
        "  --mix LIST        of ";
    for (const Mix &mix : mixes())
        text += mix.name + (&mix == &mixes().back() ? "" : ",");
    text += "\n"
            "                    (default: all). :own is on parts of their own, else on all of the map; "
            "query_1 is\n"
            "                    next and is_free over leaves, beside 1 % updates\n"
            "  --ranges LIST     in the map (default: 65536)\n"
            "  --machine LIST    (default: xeon) of\n";
    for (const Machine &machine : machines())
        text += "                      " + machine.name + ": " + machine.what + "\n                        " +
                machine.source + "\n";
    text += "  --lines           print for each class of lines what it costs\n"
            "  --warm-up US      simulated time before anything counts (default: 1000)\n"
            "  --measured US     simulated time that counts (default: 200)\n"
            "  --seed N          for ranges and keys (default: 1)\n"
            "  --json FILE       write all results there too; //bench:report makes a page of it\n"
            "  --validate        measure two threads against one here, and print that beside the prediction\n"
            "  -h, --help        this text\n"
            "\n"
            "Exit status: 0; 1 after a wrong answer of a map; 2 for a usage error or a file that cannot be "
            "written.\n";
    return text;
}

static void set(Options &options, const std::string &name, const std::string &text)
{
    constexpr Ps kUs = 1000000;
    constexpr uint64_t kSecondUs = 1000000;
    std::string option = "--" + name;
    if (name == "threads")
        options.threads = number_list<unsigned>(option, text, 1, kMostThreads);
    else if (name == "sockets")
        options.sockets = static_cast<unsigned>(number(option, text, 1, 2));
    else if (name == "mix")
        options.mixes = split_list(option, text);
    else if (name == "ranges")
        options.ranges = number_list<size_t>(option, text, 16, 10000000);
    else if (name == "machine")
        options.machines = split_list(option, text);
    else if (name == "warm-up")
        options.warm_up = number(option, text, 0, kSecondUs) * kUs;
    else if (name == "measured")
        options.measured = number(option, text, 1, kSecondUs) * kUs;
    else if (name == "seed")
        options.seed = number(option, text, 0, UINT32_MAX);
    else if (name == "json")
        options.json = user_path(text);
    else if (name == "lines")
        options.lines = true;
    else if (name == "validate")
        options.validate = true;
    else
        options.help = true;
}

Options parse_options(int count, char **arguments)
{
    static const option kOptions[] = {
        {"threads", required_argument, nullptr, 0},
        {"sockets", required_argument, nullptr, 0},
        {"mix", required_argument, nullptr, 0},
        {"ranges", required_argument, nullptr, 0},
        {"machine", required_argument, nullptr, 0},
        {"warm-up", required_argument, nullptr, 0},
        {"measured", required_argument, nullptr, 0},
        {"seed", required_argument, nullptr, 0},
        {"json", required_argument, nullptr, 0},
        {"lines", no_argument, nullptr, 0},
        {"validate", no_argument, nullptr, 0},
        {"help", no_argument, nullptr, 'h'},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    int index = 0, found;
    while ((found = getopt_long(count, arguments, "h", kOptions, &index)) != -1) {
        if (found == '?')
            throw std::invalid_argument("see --help");
        set(options, found == 'h' ? "help" : kOptions[index].name, optarg != nullptr ? optarg : "");
    }
    if (optind < count)
        throw std::invalid_argument(std::string("'") + arguments[optind] + "' is no option");
    for (const std::string &name : options.mixes)
        (void)mix_named(name);
    for (const std::string &name : options.machines)
        (void)machine_named(name);
    if (options.mixes.empty()) {
        for (const Mix &mix : mixes())
            options.mixes.push_back(mix.name);
    }
    bool updates = std::any_of(options.mixes.begin(), options.mixes.end(),
                               [](const std::string &name) { return mix_named(name).update_percent > 0; });
    if (!options.help && !options.validate && updates &&
        *std::max_element(options.threads.begin(), options.threads.end()) >
            *std::min_element(options.ranges.begin(), options.ranges.end()))
        throw std::invalid_argument("fewer ranges than threads, which update ranges of their own");
    return options;
}

} // namespace bench::cores
