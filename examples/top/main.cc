// SPDX-License-Identifier: BSD-2-Clause
// Shows the maps of processes that publish them (publish.h), and the call stacks that pcmap records, once a second.
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "examples/top/sample.h"
#include "examples/top/screen.h"
#include "examples/top/stacks.h"
#include "examples/top/table.h"

namespace top
{

static const char kUsage[] =
    "usage: top [OPTION...] [PID...]\n"
    "\n"
    "Shows the rangemaps that these processes publish (default: all of this user), once a second, until q "
    "is\n"
    "pressed or the last of the processes has ended. Into a pipe or file, one table after the other.\n"
    "\n"
    "  --once        one table, and no more\n"
    "  --json        one line for each process, as it publishes them, and no more\n"
    "  --interval S  seconds between two looks (default: 1)\n"
    "  --patience S  seconds to wait for a process that does not answer (default: 5)\n"
    "  --stacks DIR  show the hottest call stacks, too, of those processes whose stacks libpcmap.so records "
    "in DIR\n"
    "  --help        this text\n"
    "\n"
    "Exit status: 0; 1 if a process or all of them cannot be seen; 2 for a usage error.\n";

struct Options {
    bool once = false, json = false;
    double interval_seconds = 1, patience_seconds = 5;
    std::string stacks; // a folder, or empty
    std::vector<long> pids;
};

static void refuse(const std::string &why)
{
    fprintf(stderr, "top: %s\n%s", why.c_str(), kUsage);
    exit(2);
}

static double seconds_of(const char *option, const char *text)
{
    char *end = nullptr;
    const double seconds = strtod(text, &end);
    if (*end != '\0' || end == text || !std::isfinite(seconds) || seconds < 0.01 || seconds > 86400)
        refuse(std::string("--") + option + " " + text + ": seconds are wanted, 0.01 to 86400");
    return seconds;
}

static long pid_of(const char *text)
{
    char *end = nullptr;
    errno = 0;
    const long pid = strtol(text, &end, 10);
    if (*end != '\0' || end == text || errno != 0 || pid < 1 || pid > INT32_MAX)
        refuse(std::string(text) + " is no process");
    return pid;
}

static std::string folder_of(const char *text)
{
    std::error_code error;
    (void)std::filesystem::directory_iterator(text, error);
    if (error)
        refuse(std::string("--stacks ") + text + ": " + error.message());
    return text;
}

static Options parse(int argc, char **argv)
{
    static const option kOptions[] = {{"once", no_argument, nullptr, 'o'},
                                      {"json", no_argument, nullptr, 'j'},
                                      {"interval", required_argument, nullptr, 'i'},
                                      {"patience", required_argument, nullptr, 'p'},
                                      {"stacks", required_argument, nullptr, 's'},
                                      {"help", no_argument, nullptr, 'h'},
                                      {nullptr, 0, nullptr, 0}};
    Options options;
    for (int letter; (letter = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        switch (letter) {
        case 'o':
            options.once = true;
            break;
        case 'j':
            options.json = true;
            break;
        case 'i':
            options.interval_seconds = seconds_of("interval", optarg);
            break;
        case 'p':
            options.patience_seconds = seconds_of("patience", optarg);
            break;
        case 's':
            options.stacks = folder_of(optarg);
            break;
        case 'h':
            fputs(kUsage, stdout);
            exit(0);
        default:
            exit((fputs(kUsage, stderr), 2));
        }
    }
    for (; optind < argc; optind++)
        options.pids.push_back(pid_of(argv[optind]));
    return options;
}

// Looks at all processes that are asked for, again and again.
class Watch
{
  public:
    explicit Watch(const Options &options) : options_(options), folder_(folder()), stacks_(options.stacks)
    {
    }

    // A page of text; what cannot be seen is said in its place.
    std::string look()
    {
        std::string page;
        std::map<long, ProcessSample> now;
        faults_.clear();
        seen_ = 0;
        for (long pid : wanted()) {
            try {
                page += look_at(pid, now);
                seen_++;
            } catch (const std::runtime_error &error) {
                fault(error.what());
            }
        }
        if (seen_ == 0 && faults_.empty())
            fault("no process publishes maps in " + folder_);
        before_ = std::move(now);
        return page;
    }

    bool sees_any() const
    {
        return seen_ > 0;
    }

    // A line for each process that cannot be seen.
    const std::string &faults() const
    {
        return faults_;
    }

  private:
    std::vector<long> wanted() const
    {
        if (!options_.pids.empty())
            return options_.pids;
        std::vector<long> all = publishers(folder_), recorded = stacks_.processes();
        all.insert(all.end(), recorded.begin(), recorded.end());
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }

    // Where call stacks are recorded, nothing need be published.
    ProcessSample sample_of(long pid, const std::shared_ptr<const StacksSample> &stacks) const
    {
        try {
            return sample(pid, ask(folder_, pid, options_.patience_seconds));
        } catch (const std::runtime_error &) {
            const ProcessSample plain = sample(pid);
            if (stacks == nullptr || plain.program.empty())
                throw; // there is nothing to be seen of it, or it has ended
            return plain;
        }
    }

    std::string look_at(long pid, std::map<long, ProcessSample> &now)
    {
        if (options_.json)
            return ask(folder_, pid, options_.patience_seconds);
        const std::shared_ptr<const StacksSample> stacks = stacks_.look(pid);
        ProcessSample &seen = now.emplace(pid, sample_of(pid, stacks)).first->second;
        seen.stacks = stacks;
        return table(seen, before_.count(pid) > 0 ? &before_.at(pid) : nullptr) + "\n";
    }

    void fault(const std::string &what)
    {
        faults_ += "top: " + what + "\n";
    }

    const Options options_;
    const std::string folder_;
    StackRecords stacks_;
    std::map<long, ProcessSample> before_;
    std::string faults_;
    size_t seen_ = 0;
};

static std::string clock_line()
{
    char text[64];
    const time_t now = time(nullptr);
    tm local;
    strftime(text, sizeof text, "rangemap top  %H:%M:%S  (q leaves)\n", localtime_r(&now, &local));
    return text;
}

static int show_once(Watch &watch)
{
    fputs(watch.look().c_str(), stdout);
    fputs(watch.faults().c_str(), stderr);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "top: standard output: %s\n", strerror(errno));
        return 1;
    }
    return watch.faults().empty() ? 0 : 1;
}

// Into a pipe: until there is nothing to see any more, or nobody who reads.
static int show_on(Watch &watch, double interval_seconds)
{
    for (;;) {
        const int result = show_once(watch);
        if (!watch.sees_any() || ferror(stdout) != 0)
            return result;
        std::this_thread::sleep_for(std::chrono::duration<double>(interval_seconds));
    }
}

static int show_on_screen(Watch &watch, const Options &options)
{
    bool goes_on = true;
    {
        Screen screen;
        while (goes_on) {
            const std::string page = watch.look();
            screen.show(clock_line() + "\n" + page + watch.faults());
            goes_on = screen.wait(static_cast<int>(options.interval_seconds * 1000)) &&
                      (watch.sees_any() || options.pids.empty());
        }
    }
    fputs(watch.faults().c_str(), stderr);
    return watch.sees_any() ? 0 : 1;
}

static int run(int argc, char **argv)
{
    const Options options = parse(argc, argv);
    Watch watch(options);
    if (options.once || options.json)
        return show_once(watch);
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? show_on_screen(watch, options)
                                                         : show_on(watch, options.interval_seconds);
}

} // namespace top

int main(int argc, char **argv)
{
    try {
        return top::run(argc, argv);
    } catch (const std::exception &error) {
        fprintf(stderr, "top: %s\n", error.what());
        return 1;
    }
}
