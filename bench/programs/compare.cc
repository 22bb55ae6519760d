// SPDX-License-Identifier: BSD-2-Clause
/*
 * compare: measures rangemap beside the maps that people would use instead, on the same ranges and keys, in one
 * run. See bench/README.md.
 */
#include <absl/base/config.h>

#include <algorithm>
#include <stdexcept>

#include "bench/core/program.h"
#include "third_party/linux/shim/trees.h"

namespace bench
{

static std::vector<std::string> subject_names()
{
    std::vector<std::string> names;
    for (const Subject &subject : all_subjects({}))
        names.push_back(subject.name);
    return names;
}

// The subjects that were asked for and can be had here.
static std::vector<Subject> choose_subjects(const Options &options, Run *run)
{
    std::vector<Subject> chosen;
    for (const Subject &subject : all_subjects(options.java)) {
        bool asked = std::find(options.maps.begin(), options.maps.end(), subject.name) != options.maps.end();
        std::string why = asked && subject.own_process ? why_no_java(options.java) : "";
        if (!why.empty())
            run->left_out.emplace_back(subject.title, why);
        else if (asked)
            chosen.push_back(subject);
    }
    return chosen;
}

static std::vector<std::string> set_names(const Options &options)
{
    std::vector<std::string> names;
    for (const std::string &shape : options.sets) {
        const std::vector<std::string> &real = real_set_names();
        if (std::find(real.begin(), real.end(), shape) != real.end()) {
            names.push_back(shape);
            continue;
        }
        for (uint64_t size : shape == "pages"  ? options.page_sizes
                             : shape == "pins" ? options.pin_sizes
                                               : options.sizes)
            names.push_back(shape + ":" + std::to_string(size));
    }
    return names;
}

// One set's jobs, with the maps that they measure.
class Jobs
{
  public:
    Jobs(const std::string &name, const Options &options, const std::vector<Subject> &subjects,
         Progress &progress, Team &team)
        : set(make_set(name, options)), checker(name, &set.labels),
          loaded(set, options.seed, progress, checker)
    {
        if (set.shape == "pins") {
            jobs = pin_jobs(set.count, options, team);
        } else if (set.count > 0) {
            jobs = gap_jobs(set.count, options, team);
            append(window_jobs(set.count, options, team));
        } else if (!set.ranges->empty()) {
            set.rows = set.shape == "mixed" ? synthetic_rows(options.threads, options.extent)
                                            : set_rows(options.threads, options.extent, !set.actions.empty());
            jobs = set_jobs(loaded, subjects, team);
            append(memory_jobs(set, subjects, options));
        }
    }

    Set set;
    Checker checker;
    Loaded loaded;
    std::vector<Job> jobs;

  private:
    void append(const std::vector<Job> &more)
    {
        jobs.insert(jobs.end(), more.begin(), more.end());
    }
};

// This process is the child that measures the memory of one map.
static void be_memory_probe(const Options &options)
{
    const std::string &name = options.memory_probe;
    size_t first = name.find('/'), second = name.rfind('/');
    Options own = options;
    own.maps = {name.substr(second + 1)};
    own.java.warm_up_ms = 20;
    Run run;
    std::vector<Subject> subjects = choose_subjects(own, &run);
    if (first == second || subjects.empty())
        throw std::invalid_argument("--memory-probe: '" + name + "' is no row");
    print_memory(make_set(name.substr(0, first), own), subjects[0],
                 name.substr(first + 1, second - first - 1), options.seed);
}

static void add_versions(MachineFacts *facts)
{
    facts->emplace_back("maple tree, XArray", std::string("of Linux ") + linux_version());
    facts->emplace_back("std::map", "of libstdc++ " + std::to_string(_GLIBCXX_RELEASE));
    facts->emplace_back("absl::btree_map", "of Abseil LTS " + std::to_string(ABSL_LTS_RELEASE_VERSION));
}

static void measure_set(Jobs &of, const std::vector<Subject> &subjects, Harness &harness, Progress &progress,
                        Run *run)
{
    size_t wanted = harness.wanted(of.set, of.jobs, subjects).size();
    if (wanted > 0)
        progress.stage(of.set.name + ": " + std::to_string(wanted) + " rows");
    harness.run(of.set, std::move(of.jobs), subjects, &run->results);
    for (const Subject &subject : subjects)
        of.loaded.check_again(subject);
    of.set.facts.answers = of.checker.answers();
    if (!of.set.facts.skipped.empty())
        run->left_out.emplace_back(of.set.name, of.set.facts.skipped);
    run->sets.push_back(of.set.facts);
}

static int run(const Options &options)
{
    if (!options.memory_probe.empty()) {
        be_memory_probe(options);
        return 0;
    }
    Run run;
    std::vector<Subject> subjects = choose_subjects(options, &run);
    Progress progress;
    Team team(options.threads.back());
    Harness harness(options, progress);
    if (!options.list) {
        run.facts = machine_facts();
        add_versions(&run.facts);
        run.pinned = team.pinned();
        print_head(run, options);
    }
    // What is built for one set is gone before the next.
    for (const std::string &name : set_names(options)) {
        Jobs of(name, options, subjects, progress, team);
        if (!options.list)
            measure_set(of, subjects, harness, progress, &run);
        else
            for (const Job &job : harness.wanted(of.set, of.jobs, subjects))
                puts(Harness::full_name(of.set, job).c_str());
    }
    if (options.list)
        return 0;
    if (!java_version().empty())
        run.facts.emplace_back("Java", java_version());
    finish(&run, options, subjects, progress);
    printf("\nall answers were right; %.0f s\n", progress.seconds());
    return 0;
}

} // namespace bench

int main(int argc, char **argv)
{
    return bench::run_program("compare", [=] {
        return bench::run(bench::parse_compare_options(argc, argv, bench::subject_names()));
    });
}
