// SPDX-License-Identifier: BSD-2-Clause
#include "bench/machine.h"

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/elf_file.h"
#include "rangemap/rangemap.h"

// Set by bench/BUILD.
#ifndef BENCH_MODE
#define BENCH_MODE "unknown"
#endif

namespace bench
{

static std::string first_line(const std::string &path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line.empty() ? "unknown" : line;
}

// The text behind the colon of the first line of `path` that begins with `name`.
static std::string field(const std::string &path, const std::string &name)
{
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        size_t colon = line.find(':');
        if (line.compare(0, name.size(), name) == 0 && colon != std::string::npos)
            return line.substr(std::min(line.size(), line.find_first_not_of(" \t", colon + 1)));
    }
    return "unknown";
}

static std::string caches()
{
    std::string text;
    for (int i = 0; i < 8; i++) {
        std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
        std::string level = first_line(folder + "level");
        if (level == "unknown")
            break;
        text += (text.empty() ? "L" : ", L") + level + " " + first_line(folder + "type") + " " +
                first_line(folder + "size");
    }
    return text.empty() ? "unknown" : text;
}

static std::string load_average()
{
    double load[3];
    if (getloadavg(load, 3) != 3)
        return "unknown";
    char text[64];
    snprintf(text, sizeof text, "%.2f, %.2f, %.2f", load[0], load[1], load[2]);
    return text;
}

static std::string compiler()
{
#if defined(__clang__)
    return "clang " __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}

// The options of this very file, which bench/BUILD asks the compiler to record in the program: those for
// optimization and instruction set. C files of the library get the same but for the language.
static std::string recorded_options()
{
    ElfFile self("/proc/self/exe");
    Elf_Scn *section = self.error().empty() ? self.section_of_name(".GCC.command.line") : nullptr;
    Elf_Data *data = section == nullptr ? nullptr : elf_getdata(section, nullptr);
    if (data == nullptr || data->d_size == 0)
        return " (the compiler recorded no options)";
    std::string all(static_cast<const char *>(data->d_buf), data->d_size), text, option;
    std::replace(all.begin(), all.end(), '\0', ' ');
    for (std::istringstream words(all); words >> option;) {
        bool matters = option.size() > 1 && option[0] == '-' && strchr("OfmgD", option[1]) != nullptr;
        bool noise = option.compare(0, 8, "-DBENCH_") == 0 || option.compare(0, 13, "-frandom-seed") == 0;
        if (matters && !noise && option != "-frecord-gcc-switches")
            text += " " + option;
    }
    return text;
}

static std::string build_flags()
{
    std::string text = "-c " BENCH_MODE ":" + recorded_options();
#if !defined(__OPTIMIZE__)
    text += "; NOT OPTIMIZED: build with -c opt";
#endif
#if !defined(NDEBUG)
    text += "; assertions on";
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    text += "; SANITIZER";
#endif
    return text;
}

static std::string now()
{
    char text[64];
    time_t seconds = time(nullptr);
    tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text;
}

MachineFacts machine_facts()
{
    utsname names;
    uname(&names);
    unsigned processors = std::thread::hardware_concurrency();
    return {
        {"time", now()},
        {"processor",
         field("/proc/cpuinfo", "model name") + ", " + std::to_string(processors) + " processors"},
        {"caches", caches()},
        {"memory", field("/proc/meminfo", "MemTotal") + ", free " + field("/proc/meminfo", "MemAvailable")},
        {"huge pages", first_line("/sys/kernel/mm/transparent_hugepage/enabled")},
        {"kernel", std::string(names.sysname) + " " + names.release + " " + names.machine},
        {"frequency governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")},
        {"load average", load_average()},
        {"compiler", compiler() + ", glibc " + gnu_get_libc_version()},
        {"flags", build_flags()},
        {"library", std::string("rangemap ") + rangemap_version() + ", kernel " + rangemap_kernel()},
    };
}

} // namespace bench
