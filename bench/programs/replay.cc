// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay: loads real sets of ranges, checks every answer against an oracle, and measures the library beside
 * ordered maps under a read-write lock. See bench/README.md.
 */
#include <algorithm>

#include "bench/check/verify.h"
#include "bench/core/check.h"
#include "bench/core/program.h"

namespace bench
{

// Larger sets are checked by their contents and lookups at every bound only.
constexpr size_t kAllQueries = 1000000;

namespace
{

// What happens to one set: load, check, measure, check again.
class Replay
{
  public:
    Replay(Set &set, const Options &options, const std::vector<Subject> &subjects, Team &team,
           Progress &progress)
        : set_(set), options_(options), subjects_(subjects), team_(team), progress_(progress),
          checker_(set.name, &set.labels), loaded_(set, options.seed, progress, checker_)
    {
    }

    std::vector<Job> jobs()
    {
        return set_jobs(loaded_, subjects_, team_);
    }

    void run(Harness &harness, Results *results)
    {
        progress_.stage(set_.name + ": " + std::to_string(set_.ranges->size()) + " ranges");
        try {
            check_before();
            checker_.expect_right();
            harness.run(set_, jobs(), subjects_, results);
            check_after();
        } catch (const std::runtime_error &) {
            if (checker_.mismatches() == 0) // else all has been said
                throw;
        }
        progress_.done();
        set_.facts.answers = checker_.answers();
        set_.facts.wrong = checker_.mismatches();
    }

  private:
    const Subject &own() const
    {
        return subjects_.front();
    }

    RangemapSubject &subject_of(SubjectMap &map) const
    {
        return dynamic_cast<SubjectMapOf<RangemapSubject> &>(map).subject();
    }

    void check_actions()
    {
        progress_.step(set_.name + ": replaying beside the oracle");
        checker_.phase("rangemap, replayed");
        verify_actions(set_.actions, checker_);
        for (const Subject &subject : subjects_)
            check_replayed(subject, loaded_.map(subject), set_.actions, *set_.ranges, checker_);
    }

    // By random inserts, and then in bulk: every query of the library.
    void check_before()
    {
        if (!set_.actions.empty())
            check_actions();
        progress_.step(set_.name + ": checking every query");
        SubjectMap &map = loaded_.map(own());
        map.clear();
        map.insert_all(shuffled(*set_.ranges, options_.seed + 1));
        check_holds(own(), map, *set_.ranges, checker_);
        map.clear();
        map.load(*set_.ranges);
        check_holds(own(), map, *set_.ranges, checker_);
        checker_.phase("rangemap after a bulk load");
        if (set_.ranges->size() < kAllQueries)
            verify_queries(subject_of(map).map(), Oracle(*set_.ranges), options_.seed, checker_);
    }

    // All updates came in pairs: the maps must hold what they held.
    void check_after()
    {
        RangemapSubject &subject = subject_of(loaded_.filled(own()));
        progress_.step(set_.name + ": checking under updates");
        checker_.phase("rangemap under updates");
        double seconds = std::max(options_.seconds * 5, 0.05);
        verify_under_updates(subject, *set_.ranges, team_, options_.threads.back(), seconds, checker_);
        for (const Subject &one : subjects_)
            loaded_.check_again(one);
        verify_structure(subject.map(), set_.ranges->size(), checker_);
    }

    Set &set_;
    const Options &options_;
    const std::vector<Subject> &subjects_;
    Team &team_;
    Progress &progress_;
    Checker checker_;
    Loaded loaded_;
};

} // namespace

static std::vector<std::string> set_names(const Options &options)
{
    std::vector<std::string> names;
    if (!options.file.empty())
        names.push_back("file");
    for (const std::string &name : options.sets) {
        if (name != "synthetic")
            names.push_back(name);
    }
    if (std::find(options.sets.begin(), options.sets.end(), "synthetic") != options.sets.end()) {
        for (uint64_t size : options.sizes)
            names.push_back("synthetic-" + std::to_string(size));
    }
    return names;
}

static Set set_with_rows(const std::string &name, const Options &options)
{
    Set set = make_set(name, options);
    bool synthetic = set.shape == "synthetic";
    set.bulk = !synthetic;
    set.rows = synthetic ? replay_synthetic_rows(options.threads)
                         : replay_rows(options.threads, options.updates, !set.actions.empty());
    return set;
}

static int run(const Options &options)
{
    std::vector<Subject> subjects = {rangemap_subject()};
    for (const Subject &other : rwlock_subjects())
        subjects.push_back(other);
    Run run;
    Progress progress;
    Team team(options.threads.back());
    Harness harness(options, progress);
    run.pinned = team.pinned();
    run.facts = machine_facts();
    if (!options.list)
        print_head(run, options);
    for (const std::string &name : set_names(options)) {
        Set set = set_with_rows(name, options);
        if (set.facts.skipped.empty()) {
            Replay replay(set, options, subjects, team, progress);
            if (!options.list)
                replay.run(harness, &run.results);
            else
                for (const Job &job : harness.wanted(set, replay.jobs(), subjects))
                    puts(Harness::full_name(set, job).c_str());
        }
        if (!options.list)
            print_set(set.facts);
        run.sets.push_back(set.facts);
    }
    if (options.list)
        return 0;
    finish(&run, options, subjects, progress);
    uint64_t answers = 0, wrong = 0;
    for (const SetFacts &set : run.sets) {
        answers += set.answers;
        wrong += set.wrong;
    }
    printf("\n%llu answers checked, %llu wrong; %.0f s\n", static_cast<unsigned long long>(answers),
           static_cast<unsigned long long>(wrong), progress.seconds());
    return wrong == 0 ? 0 : 1;
}

} // namespace bench

int main(int argc, char **argv)
{
    return bench::run_program("replay", [=] { return bench::run(bench::parse_replay_options(argc, argv)); });
}
