// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/experiment.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <type_traits>

#include "bench/subjects/rangemap.h"
#include "bench/workload/keys.h"
#include "bench/workload/mix.h"

namespace bench::cores
{

const std::vector<Mix> &mixes()
{
    static const std::vector<Mix> all = {
        {"read_only", 0, false, false, "lookup_alone/random/hit"},
        {"read_only:own", 0, true, false, "lookup_alone/random/hit"},
        {"mix_1", 1, false, false, "mix_1"},
        {"mix_10", 10, false, false, "mix_10"},
        {"mix_10:own", 10, true, false, "mix_10"},
        {"mix_50", 50, false, false, "mix_50"},
        {"updates", 100, false, false, "erase_insert"},
        {"updates:own", 100, true, false, "erase_insert"},
        {"query_1", 1, false, true, nullptr},
    };
    return all;
}

const Mix &mix_named(const std::string &name)
{
    std::string known;
    for (const Mix &mix : mixes()) {
        if (mix.name == name)
            return mix;
        known += (known.empty() ? "" : ", ") + mix.name;
    }
    throw std::invalid_argument("--mix: '" + name + "' is none of " + known);
}

namespace
{

constexpr Ps kUs = 1000000;

// A map under load.
class Load
{
  public:
    Load(const Machine &machine, const Experiment &experiment)
        : machine_(machine), experiment_(experiment),
          ranges_(synthetic_ranges(experiment.ranges, experiment.seed)),
          simulator_(machine, experiment.threads, experiment.sockets), map_(make_map()),
          begin_(experiment.warm_up), end_(experiment.warm_up + experiment.measured)
    {
        // Vector instructions are no accesses to the compiler.
        if (rangemap_select_kernel("portable") != 0)
            throw std::logic_error("the library has no portable kernel");
        subject_.load(ranges_);
        simulator_.set_map(map_);
        if (experiment.mix.queries)
            find_crossings();
    }

    Outcome run()
    {
        simulator_.run([this](unsigned thread) { run_thread(thread); });
        outcome_.costs = simulator_.costs();
        return outcome_;
    }

  private:
    rangemap *make_map()
    {
        return subject_.map();
    }

    // Ranges whose successor lies in another leaf.
    void find_crossings()
    {
        for (size_t i = 0; i + 1 < ranges_.size(); i++) {
            if (cores_crosses_leaves(map_, ranges_[i].start))
                crossings_.push_back(i);
        }
        if (crossings_.empty())
            throw std::invalid_argument("--ranges: a map of one leaf has no queries over leaves");
    }

    Share share(unsigned thread, size_t units) const
    {
        return experiment_.mix.own ? Share(Territory::kSlice, units, thread, experiment_.threads)
                                   : Share(Territory::kSlice, units, 0, 1);
    }

    void look_up(const Share &mine, Random &random, MixTally &tally)
    {
        const Range &range = ranges_[mine.pick(random)];
        uint64_t key = random.between(range.start, range.last);
        look_up_alone(subject_, &key, 1, tally);
    }

    // Half of them next, half of them is_free, which finds the range that next does.
    void query(Random &random, MixTally &tally)
    {
        size_t i = crossings_[random.below(crossings_.size())];
        rangemap_entry entry;
        if (random() % 2 == 0)
            tally.hits += rangemap_next(map_, ranges_[i].start, &entry) == 0;
        else
            tally.hits += rangemap_is_free(map_, ranges_[i].last + 1, ranges_[i + 1].last) >= 0;
        tally.lookups++;
    }

    // One operation; updates fall due by credit.
    void step(unsigned thread, Updater<RangemapSubject> &updater, Random &random, uint64_t &credit,
              MixTally &tally)
    {
        unsigned percent = experiment_.mix.update_percent;
        credit += percent;
        if (credit >= 100) {
            credit -= 100;
            updater.update(tally);
            simulator_.work(machine_.update);
        } else if (experiment_.mix.queries) {
            query(random, tally);
        } else {
            look_up(share(thread, ranges_.size()), random, tally);
        }
    }

    void look_at_garbage()
    {
        uint64_t bytes = simulator_.unseen([this] { return cores_pending_bytes(map_); });
        outcome_.most_pending_bytes = std::max(outcome_.most_pending_bytes, bytes);
    }

    void run_thread(unsigned thread)
    {
        MixPlan plan = {};
        plan.territory = experiment_.mix.own ? Territory::kSlice : Territory::kInterleaved;
        plan.first_key = experiment_.seed * 1000;
        Updater<RangemapSubject> updater(subject_, ranges_, plan, thread, experiment_.threads);
        Random random(experiment_.seed << 32 | thread);
        MixTally warm, tally;
        uint64_t credit = random.below(100);
        while (simulator_.now() < begin_)
            step(thread, updater, random, credit, warm);
        Ps began = simulator_.now(), looked = began;
        simulator_.count_costs(true);
        while (simulator_.now() < end_) {
            step(thread, updater, random, credit, tally);
            if (thread == 0 && simulator_.now() - looked > 5 * kUs) {
                looked = simulator_.now();
                look_at_garbage();
            }
        }
        simulator_.count_costs(false);
        add(tally, warm, simulator_.now() - began);
        updater.finish(warm);
        rangemap_domain_detach(rangemap_domain_of(map_));
    }

    void add(const MixTally &tally, const MixTally &warm, Ps time)
    {
        outcome_.lookups += tally.lookups;
        outcome_.updates += tally.updates;
        outcome_.wrong += tally.failed_updates + warm.failed_updates;
        if (experiment_.mix.update_percent == 0)
            outcome_.wrong += tally.lookups - tally.hits;
        outcome_.time += time;
        if (time > 0)
            outcome_.per_second +=
                static_cast<double>(tally.lookups + tally.updates) / (static_cast<double>(time) * 1e-12);
    }

    const Machine &machine_;
    const Experiment &experiment_;
    const Ranges ranges_;
    Simulator simulator_;
    RangemapSubject subject_;
    rangemap *map_;
    Ps begin_, end_;
    std::vector<size_t> crossings_;
    Outcome outcome_;
};

void write_all(int file, const void *data, size_t bytes)
{
    for (const char *next = static_cast<const char *>(data); bytes > 0;) {
        ssize_t done = write(file, next, bytes);
        if (done < 0)
            _exit(1);
        next += done;
        bytes -= static_cast<size_t>(done);
    }
}

[[noreturn]] void run_child(const Machine &machine, const Experiment &experiment, int result)
{
    try {
        Outcome outcome = Load(machine, experiment).run();
        write_all(result, &outcome, sizeof outcome);
        _exit(0);
    } catch (const std::exception &error) {
        fprintf(stderr, "cores: %s\n", error.what());
        _exit(1);
    }
}

} // namespace

Outcome simulate(const Machine &machine, const Experiment &experiment)
{
    static_assert(std::is_trivially_copyable_v<Outcome>, "it goes through a pipe");
    int ends[2];
    if (pipe(ends) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    pid_t child = fork();
    if (child < 0)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0)
        run_child(machine, experiment, ends[1]);
    close(ends[1]);
    Outcome outcome;
    size_t got = 0;
    for (ssize_t more;
         (more = read(ends[0], reinterpret_cast<char *>(&outcome) + got, sizeof outcome - got)) > 0;)
        got += static_cast<size_t>(more);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    if (got != sizeof outcome)
        throw std::runtime_error("the simulation of " + experiment.mix.name + " with " +
                                 std::to_string(experiment.threads) + " threads failed");
    return outcome;
}

} // namespace bench::cores
