// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bench/core/jobs.h"
#include "bench/subjects/java_pipes.h"

namespace bench
{

static double resident_bytes()
{
    std::ifstream file("/proc/self/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void print_memory(const Set &set, const Subject &subject, const std::string &row, uint64_t seed)
{
    bool random = row == "memory_random";
    Ranges order = random ? shuffled(*set.ranges, seed) : *set.ranges;
    std::unique_ptr<SubjectMap> map = subject.make();
    double heap = subject.own_process ? static_cast<double>(map->bytes()) : 0;
    double resident = resident_bytes();
    if (random)
        map->insert_all(order);
    else
        map->load(order);
    map->settle();
    // Of another process's resident memory nothing can be said.
    printf("%.0f %.0f\n", static_cast<double>(map->bytes()) - heap,
           subject.own_process ? 0 : std::max(0.0, resident_bytes() - resident));
}

// Runs this program with these arguments.
static Reading probe(const std::vector<std::string> &arguments, double ranges)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        throw std::runtime_error("/proc/self/exe cannot be read");
    std::vector<std::string> command = {std::string(program, static_cast<size_t>(length))};
    command.insert(command.end(), arguments.begin(), arguments.end());
    double bytes, resident;
    if (sscanf(run_and_read(command).c_str(), "%lf %lf", &bytes, &resident) != 2)
        throw std::runtime_error("a measurement of memory failed; its message is above");
    Reading reading = {1, {}};
    if (bytes > 0) // not every map tells
        reading.values["bytes_per_range"] = bytes / ranges;
    if (resident > 0)
        reading.values["resident_bytes_per_range"] = resident / ranges;
    return reading;
}

std::vector<Job> memory_jobs(const Set &set, const std::vector<Subject> &subjects, const Options &options)
{
    std::vector<Job> jobs;
    bool pages = set.whole_pages();
    for (const char *row : {"memory_ordered", "memory_random"}) {
        Row fill;
        fill.measure = row == std::string("memory_random") ? Measure::kBuildRandom : Measure::kBuildOrdered;
        for (const Subject &subject : subjects) {
            if (!applies(fill, subject, set.ranges->size(), set.aligned, pages))
                continue;
            std::vector<std::string> arguments = {"--memory-probe", set.name + "/" + row + "/" + subject.name,
                                                  "--seed",         std::to_string(options.seed),
                                                  "--java",         options.java.java,
                                                  "--jar",          options.java.jar};
            double ranges = static_cast<double>(set.ranges->size());
            Job job = {row, subject.name, 1, row,
                       [=](double, unsigned, Histogram &) { return probe(arguments, ranges); }};
            job.warm_up = 0;
            job.repetitions = 1;
            jobs.push_back(std::move(job));
        }
    }
    return jobs;
}

} // namespace bench
