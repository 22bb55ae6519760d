// SPDX-License-Identifier: BSD-2-Clause
/*
 * Search for gaps, and allocation by it. The keys are cells of kCell keys; a map of N ranges has N cells taken. Rows
 * with `halves` give each thread a part of the cells of its own.
 */
#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bench/core/jobs.h"
#include "bench/subjects/gap_keepers.h"
#include "bench/workload/clock.h"
#include "bench/workload/random.h"

namespace bench
{

constexpr uint64_t kCell = 16;
constexpr size_t kMostAllocations = 25000;
constexpr unsigned kAtOnce = 16;

// What run(thread, stop) returns are the operations that each thread did.
template <class Run>
static Reading measure_rates(Team &team, unsigned threads, double seconds, const Run &run)
{
    std::vector<double> rates(threads);
    team.run(threads, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
        uint64_t begin = monotonic_ns();
        auto operations = static_cast<double>(run(thread, stop));
        rates[thread] = operations * 1e9 / static_cast<double>(monotonic_ns() - begin);
    });
    double rate = 0;
    for (double one : rates)
        rate += one;
    return {seconds,
            {{"operations_per_second", rate}, {"ns_per_operation", rate > 0 ? threads * 1e9 / rate : 0}}};
}

static void expect(bool right, const std::string &subject, const std::string &what)
{
    if (!right)
        throw std::runtime_error(subject + ": WRONG ANSWER: " + what);
}

namespace
{

// Cells, some of which are taken, handed out by one keeper. Filled when it is first asked for.
template <class Keeper> class Cells
{
  public:
    Cells(size_t cells, const std::string &subject) : taken_(cells), subject_(subject)
    {
    }

    // Takes those for which taken(i) is true.
    template <class Taken> void fill(const Taken &taken)
    {
        typename Keeper::Thread attached(keeper);
        for (size_t i = 0; i < taken_.size(); i++) {
            taken_[i] = taken(i);
            if (taken_[i])
                expect(keeper.take(i * kCell, kCell), subject_, "keys that are free cannot be taken");
        }
    }
    size_t size() const
    {
        return taken_.size();
    }
    GapRequest part(unsigned thread, unsigned threads, bool down = false) const
    {
        return {kCell, first(thread, threads) * kCell, first(thread + 1, threads) * kCell - 1, down};
    }
    // The cells of a thread's part that are taken at first.
    std::vector<uint64_t> starts(unsigned thread, unsigned threads) const
    {
        std::vector<uint64_t> starts;
        for (size_t i = first(thread, threads); i < first(thread + 1, threads); i++) {
            if (taken_[i])
                starts.push_back(i * kCell);
        }
        return starts;
    }

    Keeper keeper;

  private:
    size_t first(unsigned thread, unsigned threads) const
    {
        return taken_.size() * thread / threads;
    }

    std::vector<bool> taken_;
    std::string subject_;
};

// The same searches again and again: one gap near the end, or none; or gaps that nearly serve.
template <class Keeper> class Search
{
  public:
    // `holes`: where the gap is wanted; misses: each range has a gap behind it that is a little too short; down: the
    // highest gap is wanted.
    Search(size_t ranges, std::string subject, bool holes, bool misses, bool down)
        : ranges_(ranges), subject_(std::move(subject)), holes_(holes), misses_(misses), down_(down)
    {
    }

    Reading operator()(Team &team, double seconds)
    {
        if (keeper_ == nullptr)
            fill();
        return measure_rates(team, 1, seconds,
                             [&](unsigned, const std::atomic<bool> &stop) { return run(stop); });
    }

  private:
    // Lengths that differ by less than the 64th part of 1024: rangemap cannot tell them apart above the leaves.
    static constexpr uint64_t kNearly = 1016, kWanted = 1023;

    void fill()
    {
        keeper_ = std::make_unique<Keeper>();
        typename Keeper::Thread attached(*keeper_);
        uint64_t at = 0;
        request_ = {misses_ ? kWanted : kCell, 0, 0, down_};
        for (size_t i = 0; i < ranges_; i++) {
            expect(keeper_->take(at, kCell), subject_, "keys that are free cannot be taken");
            at += kCell;
            if (holes_ && i == ranges_ * 7 / 8)
                hole_at_ = std::exchange(at, at + request_.length);
            else if (misses_)
                at += kNearly + i % (kWanted - kNearly);
        }
        expect(keeper_->take(at, kCell), subject_, "keys that are free cannot be taken");
        request_.high = at + kCell - 1;
    }

    uint64_t run(const std::atomic<bool> &stop) const
    {
        typename Keeper::Thread attached(*keeper_);
        uint64_t searches = 0;
        do {
            for (unsigned i = 0; i < kAtOnce; i++) {
                uint64_t start = 0;
                bool found = keeper_->find(request_, &start);
                expect(found == holes_ && (!found || start == hole_at_), subject_, "search for a gap");
            }
            searches += kAtOnce;
        } while (!stop.load(std::memory_order_relaxed));
        return searches;
    }

    size_t ranges_;
    std::string subject_;
    bool holes_, misses_, down_;
    std::unique_ptr<Keeper> keeper_;
    GapRequest request_ = {};
    uint64_t hole_at_ = 0;
};

// What allocating threads share.
template <class Keeper> class Allocation
{
  public:
    Allocation(size_t ranges, unsigned percent_full, std::string subject, uint64_t seed)
        : ranges_(ranges), percent_(percent_full), subject_(std::move(subject)), seed_(seed)
    {
    }

  protected:
    // Evenly strewn: of each hundred cells so many are taken, which ones at random.
    void fill()
    {
        if (cells_ != nullptr)
            return;
        Random random(seed_);
        size_t count = std::max<size_t>(ranges_ * 100 / percent_, 4);
        cells_ = std::make_unique<Cells<Keeper>>(count, subject_);
        cells_->fill([&](size_t) { return random.below(100) < percent_; });
    }
    uint64_t allocate(const GapRequest &request)
    {
        uint64_t start = 0;
        expect(cells_->keeper.allocate(request, &start) && start % kCell == 0 && start >= request.low &&
                   start <= request.high,
               subject_, "allocation");
        return start;
    }
    void free(uint64_t start)
    {
        expect(cells_->keeper.free(start, kCell), subject_, "free");
    }

    size_t ranges_;
    unsigned percent_;
    std::string subject_;
    uint64_t seed_;
    std::unique_ptr<Cells<Keeper>> cells_;
};

// Up to 25,000 lowest-fit allocations in a map half full, then all of them freed in another order; counted are both.
template <class Keeper> class FillAndFree : public Allocation<Keeper>
{
  public:
    FillAndFree(size_t ranges, unsigned threads, std::string subject, uint64_t seed)
        : Allocation<Keeper>(ranges, 50, std::move(subject), seed), threads_(threads)
    {
    }

    Reading operator()(Team &team, double seconds)
    {
        this->fill();
        // About as many cells of a part are free as taken; by chance fewer, but not by so much.
        size_t each = std::max<size_t>(1, std::min(kMostAllocations, this->ranges_ / 3) / threads_);
        return measure_rates(team, threads_, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            return run(this->cells_->part(thread, threads_), each, this->seed_ + thread, stop);
        });
    }

  private:
    uint64_t run(const GapRequest &part, size_t each, uint64_t seed, const std::atomic<bool> &stop)
    {
        typename Keeper::Thread attached(this->cells_->keeper);
        Random random(seed);
        std::vector<uint64_t> starts;
        uint64_t operations = 0;
        do {
            while (starts.size() < each)
                starts.push_back(this->allocate(part));
            for (size_t i = each; i > 1; i--)
                std::swap(starts[i - 1], starts[random.below(i)]);
            for (uint64_t start : starts)
                this->free(start);
            starts.clear();
            operations += 2 * each;
        } while (!stop.load(std::memory_order_relaxed));
        return operations;
    }

    unsigned threads_;
};

// In a map that stays as full as it is: a random range goes, the lowest gap is taken. Or, `own`: what was just taken
// goes.
template <class Keeper> class Steady : public Allocation<Keeper>
{
  public:
    Steady(size_t ranges, unsigned percent, unsigned threads, bool own, bool down, std::string subject,
           uint64_t seed)
        : Allocation<Keeper>(ranges, percent, std::move(subject), seed), threads_(threads), own_(own),
          down_(down)
    {
    }

    Reading operator()(Team &team, double seconds)
    {
        this->fill();
        starts_.resize(threads_);
        for (unsigned i = 0; i < threads_ && starts_[i].empty(); i++)
            starts_[i] = this->cells_->starts(i, threads_);
        return measure_rates(team, threads_, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            return run(thread, stop);
        });
    }

  private:
    uint64_t run(unsigned thread, const std::atomic<bool> &stop)
    {
        typename Keeper::Thread attached(this->cells_->keeper);
        GapRequest part = this->cells_->part(thread, threads_, down_);
        std::vector<uint64_t> &starts = starts_[thread];
        Random random(this->seed_ + thread);
        uint64_t operations = 0;
        if (starts.empty())
            return 0; // too few ranges for a part to have any
        do {
            for (unsigned i = 0; i < kAtOnce; i++) {
                if (own_) {
                    this->free(this->allocate(part));
                } else {
                    uint64_t &start = starts[random.below(starts.size())];
                    this->free(start);
                    start = this->allocate(part);
                }
            }
            operations += 2 * kAtOnce;
        } while (!stop.load(std::memory_order_relaxed));
        return operations;
    }

    unsigned threads_;
    bool own_, down_;
    std::vector<std::vector<uint64_t>> starts_; // what each thread holds
};

class GapCatalog
{
  public:
    std::vector<Job> jobs;

    GapCatalog(size_t ranges, const Options &options, Team &team)
        : ranges_(ranges), options_(options), team_(team)
    {
    }

    template <class Keeper> void add(const char *subject)
    {
        for (bool down : {false, true}) {
            search<Keeper>(subject, "one_hole", down, true, false);
            search<Keeper>(subject, "none", down, false, false);
            search<Keeper>(subject, "just_miss", down, true, true);
            keep(std::string("allocate_erase") + (down ? "_down" : "") + "/threads:1", subject, 1,
                 Steady<Keeper>(ranges_, 50, 1, true, down, subject, options_.seed));
        }
        for (unsigned count : options_.threads) {
            if (ranges_ < 8 * size_t{count})
                continue;
            std::string end = "/threads:" + std::to_string(count) + (count > 1 ? ":halves" : "");
            keep("fill_and_free" + end, subject, count,
                 FillAndFree<Keeper>(ranges_, count, subject, options_.seed));
            for (unsigned percent : {50u, 90u, 99u})
                keep("steady_" + std::to_string(percent) + end, subject, count,
                     Steady<Keeper>(ranges_, percent, count, false, false, subject, options_.seed));
        }
    }

  private:
    template <class Keeper>
    void search(const char *subject, const std::string &name, bool down, bool holes, bool misses)
    {
        keep("gap_search/" + name + (down ? "_down" : "") + "/threads:1", subject, 1,
             Search<Keeper>(ranges_, subject, holes, misses, down));
    }

    // Rows of one workload take turns.
    template <class Workload>
    void keep(const std::string &row, const char *subject, unsigned threads, Workload workload)
    {
        auto shared = std::make_shared<Workload>(std::move(workload));
        jobs.push_back({row, subject, threads, row.substr(0, row.find('/')),
                        [shared, &team = team_](double seconds, unsigned, Histogram &) {
                            return (*shared)(team, seconds);
                        }});
    }

    size_t ranges_;
    const Options &options_;
    Team &team_;
};

} // namespace

std::vector<Job> gap_jobs(size_t ranges, const Options &options, Team &team)
{
    std::vector<GapCatalog> catalogs(3, GapCatalog(ranges, options, team));
    catalogs[0].add<RangemapGaps>(kRangemap);
    catalogs[1].add<MapleGaps>(kMaple);
    catalogs[2].add<SetOfGaps>(kSetOfGaps);
    std::vector<Job> jobs;
    for (size_t i = 0; i < catalogs[0].jobs.size(); i++) {
        for (const GapCatalog &catalog : catalogs)
            jobs.push_back(catalog.jobs[i]); // all have the same ones
    }
    return jobs;
}

} // namespace bench
