// SPDX-License-Identifier: BSD-2-Clause
// Edits of windows of 1,000 ranges beside 1,000 single ones; erase and insert in a map that tracks gaps and in another.
#include <memory>
#include <stdexcept>

#include "bench/core/jobs.h"
#include "bench/subjects/gap_keepers.h"
#include "bench/workload/clock.h"
#include "bench/workload/keys.h"
#include "bench/workload/random.h"

namespace bench
{

constexpr size_t kWindow = 1000;

static void expect_done(int rc, const char *call)
{
    if (rc != 0)
        throw std::runtime_error(std::string("rangemap: ") + call + " returned " + std::to_string(rc));
}

static Reading rate_reading(double seconds, uint64_t operations)
{
    double rate = static_cast<double>(operations) / seconds;
    return {seconds, {{"operations_per_second", rate}, {"ns_per_operation", 1e9 / rate}}};
}

static int next_value(const rangemap_entry *, const rangemap_entry *, void **value, void *)
{
    *value = static_cast<char *>(*value) + 1;
    return RANGEMAP_SET;
}

namespace
{

// A map filled by random inserts, and what it holds.
class Windows
{
  public:
    Windows(size_t ranges, bool tracks, uint64_t seed) : ranges_(ranges), tracks_(tracks), seed_(seed)
    {
    }

    void fill()
    {
        if (keeper_ != nullptr)
            return;
        keeper_ = std::make_unique<RangemapGaps>(tracks_);
        Ranges ranges = synthetic_ranges(ranges_, seed_);
        for (const Range &range : shuffled(ranges, seed_))
            expect_done(rangemap_insert(map(), range.start, range.last, nullptr, nullptr),
                        "rangemap_insert()");
        for (const Range &range : ranges)
            entries_.push_back({range.start, range.last, nullptr});
    }
    rangemap *map() const
    {
        return keeper_->map();
    }
    std::vector<rangemap_entry> &entries()
    {
        return entries_;
    }
    // Somewhere in the map; as it is now.
    rangemap_entry *window(Random &random)
    {
        return entries_.data() + random.below(entries_.size() - kWindow);
    }

  private:
    size_t ranges_;
    bool tracks_;
    uint64_t seed_;
    std::unique_ptr<RangemapGaps> keeper_;
    std::vector<rangemap_entry> entries_;
};

enum class Edit { kSplice, kInserts, kUpdate, kReplaces };

void clear_window(rangemap *map, const rangemap_entry *entry)
{
    expect_done(rangemap_carve(map, entry[0].start, entry[kWindow - 1].last, nullptr, nullptr),
                "rangemap_carve()");
}

void edit_window(Edit edit, rangemap *map, rangemap_entry *entry)
{
    uint64_t start = entry[0].start, last = entry[kWindow - 1].last;
    switch (edit) {
    case Edit::kSplice:
        return expect_done(rangemap_splice(map, start, last, entry, kWindow, nullptr), "rangemap_splice()");
    case Edit::kUpdate:
        return expect_done(rangemap_update(map, start, last, next_value, nullptr, nullptr),
                           "rangemap_update()");
    case Edit::kInserts:
        for (size_t i = 0; i < kWindow; i++)
            expect_done(rangemap_insert(map, entry[i].start, entry[i].last, entry[i].value, nullptr),
                        "rangemap_insert()");
        return;
    case Edit::kReplaces:
        for (size_t i = 0; i < kWindow; i++)
            expect_done(rangemap_replace(map, entry[i].start, entry[i].last, entry[i].value,
                                         static_cast<char *>(entry[i].value) + 1, nullptr),
                        "rangemap_replace()");
        return;
    }
}

// The map knows what each value is then.
void note_edit(Edit edit, rangemap_entry *entry)
{
    for (size_t i = 0; i < kWindow && (edit == Edit::kUpdate || edit == Edit::kReplaces); i++)
        entry[i].value = static_cast<char *>(entry[i].value) + 1;
}

} // namespace

// Only the edits are timed: not how their windows were emptied.
static Reading run_edits(Windows &windows, Edit edit, double seconds, unsigned turn)
{
    Random random(turn);
    bool puts = edit == Edit::kSplice || edit == Edit::kInserts;
    double spent = 0;
    uint64_t ranges = 0, begin = monotonic_ns();
    do {
        rangemap_entry *entry = windows.window(random);
        if (puts)
            clear_window(windows.map(), entry);
        uint64_t before = monotonic_ns();
        edit_window(edit, windows.map(), entry);
        spent += static_cast<double>(monotonic_ns() - before) * 1e-9;
        note_edit(edit, entry);
        ranges += kWindow;
    } while (static_cast<double>(monotonic_ns() - begin) * 1e-9 < seconds);
    return rate_reading(spent, ranges);
}

static Reading run_pairs(Windows &windows, double seconds, unsigned turn)
{
    Random random(turn);
    uint64_t operations = 0, begin = monotonic_ns();
    do {
        for (unsigned i = 0; i < 16; i++, operations += 2) {
            const rangemap_entry &entry = windows.entries()[random.below(windows.entries().size())];
            expect_done(rangemap_erase_exact(windows.map(), entry.start, entry.last, nullptr),
                        "rangemap_erase_exact()");
            expect_done(rangemap_insert(windows.map(), entry.start, entry.last, entry.value, nullptr),
                        "rangemap_insert()");
        }
    } while (static_cast<double>(monotonic_ns() - begin) * 1e-9 < seconds);
    return rate_reading(static_cast<double>(monotonic_ns() - begin) * 1e-9, operations);
}

// On a thread of the team, as all others.
template <class Run> static Reading on_team(Team &team, double seconds, const Run &run)
{
    Reading reading;
    team.run(1, seconds, [&](unsigned, const std::atomic<bool> &) { reading = run(); });
    return reading;
}

static Job job(const std::string &row, bool tracks, size_t ranges, uint64_t seed, Team &team,
               const std::function<Reading(Windows &, double, unsigned)> &run)
{
    auto windows = std::make_shared<Windows>(ranges, tracks, seed);
    return {row + "/threads:1", kRangemap, 1, row.substr(0, row.find('/')),
            [windows, run, &team](double seconds, unsigned turn, Histogram &) {
                windows->fill();
                return on_team(team, seconds, [&] { return run(*windows, seconds, turn); });
            }};
}

std::vector<Job> window_jobs(size_t ranges, const Options &options, Team &team)
{
    std::vector<Job> jobs;
    for (bool tracks : {true, false})
        jobs.push_back(job(tracks ? "erase_insert/tracked" : "erase_insert/untracked", tracks, ranges,
                           options.seed, team, run_pairs));
    if (ranges <= kWindow)
        return jobs;
    for (auto [row, edit] :
         {std::pair{"window/splice_1000", Edit::kSplice}, std::pair{"window/insert_1000", Edit::kInserts},
          std::pair{"window/update_1000", Edit::kUpdate}, std::pair{"window/replace_1000", Edit::kReplaces}})
        jobs.push_back(job(row, false, ranges, options.seed, team,
                           [edit = edit](Windows &windows, double seconds, unsigned turn) {
                               return run_edits(windows, edit, seconds, turn);
                           }));
    return jobs;
}

} // namespace bench
