// SPDX-License-Identifier: BSD-2-Clause
// Shows the maps of processes that publish them (publish.h), once a second.
#include <getopt.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <stdexcept>

#include "examples/top/sample.h"
#include "examples/top/screen.h"
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
    "  --help        this text\n"
    "\n"
    "Exit status: 0; 1 if a process or all of them cannot be seen; 2 for a usage error.\n";

struct Options {
    bool once = false, json = false;
    double interval_seconds = 1;
    std::vector<long> pids;
};

static void refuse(const std::string &why)
{
    fprintf(stderr, "top: %s\n%s", why.c_str(), kUsage);
    exit(2);
}

static double interval_of(const char *text)
{
    char *end = nullptr;
    const double seconds = strtod(text, &end);
    if (*end != '\0' || end == text || !std::isfinite(seconds) || seconds < 0.01 || seconds > 86400)
        refuse(std::string("--interval ") + text + ": seconds are wanted, 0.01 to 86400");
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

static Options parse(int argc, char **argv)
{
    static const option kOptions[] = {{"once", no_argument, nullptr, 'o'},
                                      {"json", no_argument, nullptr, 'j'},
                                      {"interval", required_argument, nullptr, 'i'},
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
            options.interval_seconds = interval_of(optarg);
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
    explicit Watch(const Options &options) : options_(options), folder_(folder())
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
                const std::string answer = ask(folder_, pid);
                if (options_.json) {
                    page += answer;
                } else {
                    now.emplace(pid, sample(pid, answer));
                    page += table(now.at(pid), before_.count(pid) > 0 ? &before_.at(pid) : nullptr) + "\n";
                }
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
        return options_.pids.empty() ? publishers(folder_) : options_.pids;
    }

    void fault(const std::string &what)
    {
        faults_ += "top: " + what + "\n";
    }

    const Options options_;
    const std::string folder_;
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
    return watch.faults().empty() ? 0 : 1;
}

// Into a pipe: until there is nothing to see any more, or nobody who reads.
static int show_on(Watch &watch, double interval_seconds)
{
    for (;;) {
        const int result = show_once(watch);
        if (!watch.sees_any() || fflush(stdout) != 0)
            return result;
        usleep(static_cast<useconds_t>(interval_seconds * 1e6));
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
