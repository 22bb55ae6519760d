// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/row.h"

namespace bench
{

static const char *mode_in_rows(LookupMode mode)
{
    switch (mode) {
    case LookupMode::kAlone:
        return "alone";
    case LookupMode::kHeld:
        return "section";
    case LookupMode::kBatch:
        return "batch16";
    case LookupMode::kLarge:
        return "batch256";
    }
    return "?";
}

static std::string threads_in_rows(unsigned threads, bool halves)
{
    return "threads:" + std::to_string(threads) + (halves ? ":halves" : "");
}

std::string lookup_row(const char *mode, const KeyPlan &keys, unsigned threads, bool halves)
{
    return std::string("lookup_") + mode + "/" + pattern_name(keys.pattern) + "/" +
           (keys.hit ? "hit" : "miss") + "/" + threads_in_rows(threads, halves);
}

std::string update_row(unsigned percent, unsigned threads, bool halves)
{
    std::string name = percent == 100 ? "erase_insert" : "mix_" + std::to_string(percent);
    return name + "/" + threads_in_rows(threads, halves);
}

namespace
{

class Catalog
{
  public:
    std::vector<Row> rows;

    void lookup(LookupMode mode, const KeyPlan &keys, unsigned threads, bool halves = false)
    {
        Row row;
        row.name = lookup_row(mode_in_rows(mode), keys, threads, halves);
        row.keys = keys;
        row.plan.mode = mode;
        row.plan.misses = !keys.hit;
        add(std::move(row), threads, halves);
    }

    void update(unsigned percent, unsigned threads, bool halves = false, LookupMode mode = LookupMode::kAlone)
    {
        Row row;
        row.name = update_row(percent, threads, halves);
        if (mode != LookupMode::kAlone)
            row.name.insert(row.name.find('/'), std::string("_") + mode_in_rows(mode));
        row.plan.mode = mode;
        row.plan.update_percent = percent;
        add(std::move(row), threads, halves);
    }

    void store_carve(unsigned threads)
    {
        Row row;
        row.name = "store_carve/" + threads_in_rows(threads, false);
        row.plan.update_percent = 100;
        row.plan.update = UpdateKind::kStoreCarve;
        add(std::move(row), threads, false);
    }

    void latency(unsigned threads)
    {
        Row row;
        row.name = "latency_beside_writer/" + threads_in_rows(threads, false);
        row.measure = Measure::kLatency;
        row.plan.writers = 1;
        add(std::move(row), threads, false);
    }

    // Erase and insert, each timed, by one thread; the second, if any, is the company.
    void update_latency(const char *beside, Company company)
    {
        unsigned threads = company == Company::kNone ? 1 : 2;
        Row row;
        row.name = std::string("update_latency/") + beside + "/" + threads_in_rows(threads, false);
        row.measure = Measure::kLatency;
        row.plan.times_updates = true;
        row.plan.company = company;
        add(std::move(row), threads, false);
    }

    // Each thread looks up, and updates as well.
    void latency_of_mix(unsigned percent, unsigned threads)
    {
        Row row;
        row.name = "latency_mix_" + std::to_string(percent) + "/" + threads_in_rows(threads, false);
        row.measure = Measure::kLatency;
        row.plan.update_percent = percent;
        add(std::move(row), threads, false);
    }

    void garbage(unsigned threads)
    {
        Row row;
        row.name = "garbage_50/" + threads_in_rows(threads, false);
        row.measure = Measure::kGarbage;
        row.plan.update_percent = 50;
        add(std::move(row), threads, false);
    }

    void single(const char *name, Measure measure, bool weighs = false)
    {
        Row row;
        row.name = name;
        row.measure = measure;
        row.weighs = weighs;
        rows.push_back(std::move(row));
    }

  private:
    void add(Row row, unsigned threads, bool halves)
    {
        row.plan.threads = threads;
        row.halves = halves;
        row.plan.territory = halves ? Territory::kSlice : Territory::kInterleaved;
        rows.push_back(std::move(row));
    }
};

} // namespace

constexpr LookupMode kModes[] = {LookupMode::kAlone, LookupMode::kHeld, LookupMode::kBatch,
                                 LookupMode::kLarge};

// Every kind of key with every kind of lookup.
static void all_lookups(Catalog &catalog, const std::vector<unsigned> &threads)
{
    for (KeyPattern pattern : {KeyPattern::kRandom, KeyPattern::kZipf, KeyPattern::kLocal}) {
        for (bool hit : {true, false}) {
            for (LookupMode mode : kModes) {
                for (unsigned count : threads)
                    catalog.lookup(mode, {pattern, hit}, count);
            }
        }
    }
}

static void some_lookups(Catalog &catalog, const std::vector<unsigned> &threads)
{
    for (LookupMode mode : kModes)
        catalog.lookup(mode, {}, 1);
    catalog.lookup(LookupMode::kAlone, {KeyPattern::kRandom, false}, 1);
    catalog.lookup(LookupMode::kAlone, {KeyPattern::kZipf, true}, 1);
    catalog.lookup(LookupMode::kAlone, {KeyPattern::kLocal, true}, 1);
    for (unsigned count : threads) {
        if (count > 1)
            catalog.lookup(LookupMode::kAlone, {}, count);
    }
}

static void updates(Catalog &catalog, const std::vector<unsigned> &threads, Extent extent)
{
    for (unsigned count : threads) {
        for (unsigned percent : {100u, 1u, 10u, 50u})
            catalog.update(percent, count);
        if (count == 1 || extent == Extent::kFull)
            catalog.store_carve(count);
        if (count == 1)
            continue;
        catalog.lookup(LookupMode::kAlone, {}, count, true);
        catalog.update(100, count, true);
        catalog.update(10, count, true);
        if (extent == Extent::kFull)
            catalog.update(50, count, true);
    }
}

static void builds(Catalog &catalog)
{
    catalog.single("build_ordered", Measure::kBuildOrdered);
    catalog.single("build_random", Measure::kBuildRandom);
}

std::vector<Row> synthetic_rows(const std::vector<unsigned> &threads, Extent extent)
{
    Catalog catalog;
    builds(catalog);
    if (extent == Extent::kFull)
        all_lookups(catalog, threads);
    else
        some_lookups(catalog, threads);
    updates(catalog, threads, extent);
    catalog.single("scan", Measure::kScan);
    catalog.update_latency("alone", Company::kNone);
    if (threads.back() > 1) {
        catalog.update_latency("snapshot", Company::kSnapshot);
        catalog.update_latency("stalled_reader", Company::kStalledReader);
        catalog.update_latency("exiting_thread", Company::kExitingThread);
    }
    for (unsigned count : threads) {
        if (count > 1)
            catalog.latency(count);
        if (count > 1 || threads.size() == 1)
            catalog.garbage(count);
    }
    return catalog.rows;
}

std::vector<Row> set_rows(const std::vector<unsigned> &threads, Extent extent, bool has_actions)
{
    Catalog catalog;
    if (has_actions)
        catalog.single("replay", Measure::kReplay);
    if (extent == Extent::kFull) {
        std::vector<Row> all = synthetic_rows(threads, Extent::kDefault);
        all.insert(all.end(), catalog.rows.begin(), catalog.rows.end());
        return all;
    }
    catalog.single("build_random", Measure::kBuildRandom);
    for (LookupMode mode : {LookupMode::kAlone, LookupMode::kHeld, LookupMode::kBatch})
        catalog.lookup(mode, {}, 1);
    catalog.update(100, 1);
    catalog.update(10, threads.back());
    return catalog.rows;
}

// An undisturbed reader, and all threads with a tenth of updates.
static void latencies_of_mixes(Catalog &catalog, const std::vector<unsigned> &threads)
{
    catalog.latency_of_mix(0, threads.front());
    catalog.latency_of_mix(10, threads.back());
}

// As programs that keep to their own part of a map update it.
static std::vector<Row> in_slices(std::vector<Row> rows)
{
    for (Row &row : rows)
        row.plan.territory = Territory::kSlice;
    return rows;
}

static void weighed_builds(Catalog &catalog)
{
    catalog.single("build_ordered", Measure::kBuildOrdered, true);
    catalog.single("build_random", Measure::kBuildRandom, true);
}

std::vector<Row> replay_rows(const std::vector<unsigned> &threads, const std::vector<unsigned> &updates,
                             bool has_actions)
{
    Catalog catalog;
    if (has_actions)
        catalog.single("replay", Measure::kReplay);
    weighed_builds(catalog);
    for (unsigned count : threads) {
        for (unsigned percent : updates) {
            for (LookupMode mode : {LookupMode::kAlone, LookupMode::kBatch}) {
                if (percent == 0)
                    catalog.lookup(mode, {}, count);
                else
                    catalog.update(percent, count, false, mode);
            }
        }
    }
    latencies_of_mixes(catalog, threads);
    return in_slices(catalog.rows);
}

std::vector<Row> replay_synthetic_rows(const std::vector<unsigned> &threads)
{
    Catalog catalog;
    weighed_builds(catalog);
    for (unsigned count : threads) {
        for (LookupMode mode : {LookupMode::kAlone, LookupMode::kBatch, LookupMode::kHeld})
            catalog.lookup(mode, {}, count);
        catalog.update(10, count);
        catalog.update(100, count);
    }
    latencies_of_mixes(catalog, threads);
    return in_slices(catalog.rows);
}

bool fills(const Row &row)
{
    return row.measure == Measure::kBuildOrdered || row.measure == Measure::kBuildRandom ||
           row.measure == Measure::kReplay;
}

bool applies(const Row &row, const Subject &subject, size_t ranges, bool aligned, bool pages)
{
    bool batch = row.plan.mode == LookupMode::kBatch || row.plan.mode == LookupMode::kLarge;
    bool writes = row.plan.update_percent > 0 || row.plan.writers > 0 || row.plan.times_updates;
    bool adds_singly = row.measure == Measure::kBuildRandom || row.measure == Measure::kReplay;
    if (subject.make == nullptr || (!aligned && ranges > subject.most_unaligned) ||
        (!pages && subject.only_pages))
        return false;
    if (!subject.looks_up && !batch)
        return false;
    if ((writes || adds_singly) && (!subject.updates || ranges > subject.most_updated))
        return false;
    if (writes && !subject.erases)
        return false;
    // One by one, pipes would be what is timed.
    if (subject.own_process && (row.plan.times_updates || row.measure == Measure::kReplay))
        return false;
    if (!subject.overwrites &&
        (row.plan.update == UpdateKind::kStoreCarve || row.measure == Measure::kReplay))
        return false;
    // A map of less than two ranges a thread is no place for several writers.
    if (!fills(row) && writes && ranges < 2 * size_t{row.plan.threads})
        return false;
    return row.measure != Measure::kGarbage || subject.reclaims;
}

} // namespace bench
