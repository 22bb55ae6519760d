// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/harness.h"

#include <algorithm>
#include <exception>

#include "bench/core/runner.h"

namespace bench
{

Harness::Harness(const Options &options, Progress &progress)
    : options_(options), progress_(progress),
      filter_(options.filter == "all" ? "" : options.filter, std::regex::extended)
{
    runner_init(options.program, options.to_library);
}

std::string Harness::full_name(const Set &set, const Job &job)
{
    return set.name + "/" + job.row + "/" + job.subject;
}

static const Subject *subject_of(const Job &job, const std::vector<Subject> &subjects)
{
    auto found = std::find_if(subjects.begin(), subjects.end(),
                              [&](const Subject &subject) { return subject.name == job.subject; });
    return found == subjects.end() ? nullptr : &*found;
}

std::vector<Job> Harness::wanted(const Set &set, std::vector<Job> jobs,
                                 const std::vector<Subject> &subjects) const
{
    auto unwanted = [&](const Job &job) {
        return subject_of(job, subjects) == nullptr || !std::regex_search(full_name(set, job), filter_);
    };
    jobs.erase(std::remove_if(jobs.begin(), jobs.end(), unwanted), jobs.end());
    return jobs;
}

double percentile_ns(const Histogram &ticks, double fraction)
{
    const ClockCalibration &clock = calibrate_clock();
    uint64_t read = ticks.percentile(fraction);
    uint64_t net = read > clock.overhead_ticks ? read - clock.overhead_ticks : 0;
    return static_cast<double>(net) * clock.ns_per_tick;
}

namespace
{

// One job while its repetitions run.
class Running
{
  public:
    Running(Job job, std::string name, Progress &progress, double seconds)
        : job_(std::move(job)), name_(std::move(name)), progress_(progress), seconds_(seconds)
    {
    }

    const Job &job() const
    {
        return job_;
    }
    const std::string &name() const
    {
        return name_;
    }

    // Preceded by a run that does not count: other maps have been in the caches since. In the first one memory is
    // faulted in, and Java compiles.
    double repeat()
    {
        progress_.step(name_);
        Histogram ignored;
        double warm_up = turn_ == 0 ? job_.warm_up : std::min(job_.warm_up, kWarmUp);
        if (warm_up > 0)
            job_.measure(warm_up * seconds_, turn_, ignored);
        turn_++;
        Reading reading = job_.measure(job_.length * seconds_, turn_, ticks_);
        for (const auto &[what, value] : reading.values)
            values_[what].push_back(value);
        return reading.seconds;
    }

    Result result(const Set &set, const std::string &title) const
    {
        Result result = {set.name, set.shape, set.facts.ranges, job_.row, job_.subject, title, job_.threads,
                         {},       {}};
        for (const auto &[what, values] : values_)
            result.values[what] = spread(values);
        if (ticks_.count() == 0)
            return result;
        for (double fraction : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999,
                                0.9995, 0.9998, 0.9999, 0.99995, 0.99999, 1.0})
            result.curve.emplace_back(fraction, percentile_ns(ticks_, fraction));
        return result;
    }

  private:
    Job job_;
    std::string name_;
    Progress &progress_;
    double seconds_;
    unsigned turn_ = 0;
    Histogram ticks_;
    std::map<std::string, std::vector<double>> values_;
};

} // namespace

// What a job throws must not pass through the runner, which has nothing more to do then.
static void run_group(std::vector<std::unique_ptr<Running>> &group, unsigned repetitions)
{
    std::exception_ptr failure;
    std::vector<Benchmark> benchmarks;
    for (const auto &one : group) {
        unsigned own = one->job().repetitions;
        benchmarks.push_back({one->name(), own != 0 ? own : repetitions, [&one, &failure] {
                                  try {
                                      return failure ? 1 : one->repeat();
                                  } catch (...) {
                                      failure = std::current_exception();
                                      return 1.0;
                                  }
                              }});
    }
    runner_run(benchmarks);
    if (failure)
        std::rethrow_exception(failure);
}

void Harness::run(const Set &set, std::vector<Job> jobs, const std::vector<Subject> &subjects,
                  Results *results)
{
    bool synthetic = set.name != set.shape;
    unsigned repetitions = synthetic ? options_.synthetic_repetitions : options_.repetitions;
    jobs = wanted(set, std::move(jobs), subjects);
    while (!jobs.empty()) {
        auto others = std::stable_partition(
            jobs.begin(), jobs.end(), [name = jobs[0].group](const Job &job) { return job.group == name; });
        std::vector<std::unique_ptr<Running>> group;
        for (auto job = jobs.begin(); job != others; ++job) {
            if (!job->is_possible || job->is_possible())
                group.push_back(
                    std::make_unique<Running>(*job, full_name(set, *job), progress_, options_.seconds));
        }
        run_group(group, repetitions);
        for (const auto &one : group)
            results->push_back(one->result(set, subject_of(one->job(), subjects)->title));
        jobs.erase(jobs.begin(), others);
    }
}

} // namespace bench
