// SPDX-License-Identifier: BSD-2-Clause
#include "bench/subjects/java_skip_list.h"

#include <unistd.h>

#include <cstdlib>
#include <map>

#include "bench/subjects/java_pipes.h"
#include "bench/workload/clock.h"

namespace bench
{

static std::string version;

const std::string &java_version()
{
    return version;
}

std::string why_no_java(const JavaOptions &options)
{
    if (options.jar.empty())
        return "skip_list.jar is not beside this program";
    std::string command = "'" + options.java + "' -version >/dev/null 2>&1";
    if (system(command.c_str()) != 0)
        return "'" + options.java + "' does not run";
    return "";
}

namespace
{

// Memory for the heap: half of what is free, up to 8 GiB.
std::string heap_option()
{
    long pages = sysconf(_SC_AVPHYS_PAGES);
    long mebibytes = pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024 / 2;
    return "-Xmx" + std::to_string(mebibytes < 256 ? 256 : (mebibytes > 8192 ? 8192 : mebibytes)) + "m";
}

// The parallel collector has no threads that work beside others' measurements.
std::vector<std::string> command_line(const JavaOptions &options)
{
    return {options.java,
            heap_option(),
            "-XX:+UseParallelGC",
            "-XX:-UsePerfData",
            "-jar",
            options.jar,
            std::to_string(options.warm_up_ms)};
}

class SkipListMap : public SubjectMap
{
  public:
    explicit SkipListMap(const JavaOptions &options) : java_(command_line(options))
    {
        version = java_.get_text();
    }

    std::string name() const override
    {
        return "ConcurrentSkipListMap";
    }

    void clear() override
    {
        java_.put_byte('c');
    }
    double load(const Ranges &sorted) override
    {
        return insert_all(sorted);
    }
    double insert_all(const Ranges &ranges) override
    {
        java_.put_byte('l');
        put(ranges);
        return java_.get_double();
    }

    bool insert(const Range &range) override
    {
        java_.put_byte('i');
        put(range);
        return java_.get_bool();
    }
    bool erase(const Range &range) override
    {
        java_.put_byte('e');
        put(range);
        return java_.get_bool();
    }
    void store(const Range &range) override
    {
        java_.put_byte('s');
        put(range);
    }
    void carve(uint64_t start, uint64_t last) override
    {
        java_.put_byte('v');
        put_key(start);
        put_key(last);
    }

    bool lookup(uint64_t key, uint64_t *value) const override
    {
        std::vector<uint64_t> values;
        size_t hits = answers(LookupMode::kAlone, {key}, &values);
        *value = values[0];
        return hits != 0;
    }

    // All kinds of lookups are the same to it.
    size_t answers(LookupMode, const std::vector<uint64_t> &keys,
                   std::vector<uint64_t> *values) const override
    {
        java_.put_byte('q');
        put_keys(keys);
        size_t hits = 0;
        values->clear();
        for (size_t i = 0; i < keys.size(); i++) {
            hits += java_.get_bool();
            values->push_back(java_.get_long());
        }
        return hits;
    }

    Ranges contents() const override
    {
        java_.put_byte('a');
        Ranges ranges(java_.get_int());
        for (Range &range : ranges) {
            range.start = get_key();
            range.last = get_key();
            range.value = java_.get_long();
        }
        return ranges;
    }

    // Of its heap.
    uint64_t bytes() const override
    {
        java_.put_byte('b');
        return java_.get_long();
    }
    uint64_t bytes_with_garbage() const override
    {
        return 0;
    }
    void settle() override
    {
    }

    double scan() const override
    {
        java_.put_byte('w');
        return java_.get_double();
    }

    MixResult run_mix(Team &, const MixInput &input, const MixPlan &plan) override
    {
        begin_run('m', input, plan);
        return sum_tallies(get_tallies(plan), plan);
    }

    LatencyResult run_latency(Team &, const MixInput &input, const MixPlan &plan) override
    {
        begin_run('t', input, plan);
        LatencyResult result;
        result.wrong = sum_tallies(get_tallies(plan), plan).wrong;
        const ClockCalibration &clock = calibrate_clock();
        for (uint32_t buckets = java_.get_int(); buckets > 0; buckets--) {
            auto ns = static_cast<double>(java_.get_long());
            uint64_t times = java_.get_long();
            auto ticks = static_cast<uint64_t>(ns / clock.ns_per_tick) + clock.overhead_ticks;
            result.ticks.record(ticks, times);
        }
        return result;
    }

  private:
    static constexpr uint64_t kSign = uint64_t{1} << 63;

    // Java's longs are signed: with the top bit flipped they sort as ours.
    void put_key(uint64_t key) const
    {
        java_.put_long(key ^ kSign);
    }
    uint64_t get_key() const
    {
        return java_.get_long() ^ kSign;
    }
    void put(const Range &range) const
    {
        put_key(range.start);
        put_key(range.last);
        java_.put_long(range.value);
    }
    void put(const Ranges &ranges) const
    {
        java_.put_int(static_cast<uint32_t>(ranges.size()));
        for (const Range &range : ranges)
            put(range);
    }
    void put_keys(const std::vector<uint64_t> &keys) const
    {
        java_.put_int(static_cast<uint32_t>(keys.size()));
        for (uint64_t key : keys)
            put_key(key);
    }

    // The number under which the other side knows the key lists; sends what it does not have.
    uint32_t number_of(const MixInput &input)
    {
        if (ranges_ != input.ranges) {
            java_.put_byte('r');
            put(*input.ranges);
            ranges_ = input.ranges;
            inputs_.clear();
        }
        auto [known, is_new] = inputs_.emplace(&input, static_cast<uint32_t>(inputs_.size()));
        if (is_new) {
            java_.put_byte('k');
            java_.put_int(known->second);
            java_.put_int(static_cast<uint32_t>(input.keys.size()));
            for (const auto &keys : input.keys)
                put_keys(keys);
        }
        return known->second;
    }

    void begin_run(uint8_t command, const MixInput &input, const MixPlan &plan)
    {
        uint32_t number = number_of(input);
        java_.put_byte(command);
        java_.put_int(number);
        java_.put_int(plan.threads);
        java_.put_int(plan.update_percent);
        java_.put_int(plan.writers);
        java_.put_bool(plan.update == UpdateKind::kStoreCarve);
        java_.put_bool(plan.territory == Territory::kInterleaved);
        java_.put_long(static_cast<uint64_t>(plan.seconds * 1e9));
        java_.put_long(plan.first_key);
    }

    std::vector<MixTally> get_tallies(const MixPlan &plan)
    {
        std::vector<MixTally> tallies(plan.threads);
        for (MixTally &tally : tallies) {
            tally.lookups = java_.get_long();
            tally.hits = java_.get_long();
            tally.updates = java_.get_long();
            tally.failed_updates = java_.get_long();
            tally.checksum = java_.get_long();
            tally.seconds = java_.get_double();
        }
        return tallies;
    }

    mutable Pipes java_;
    std::shared_ptr<const Ranges> ranges_;
    std::map<const MixInput *, uint32_t> inputs_;
};

} // namespace

Subject skip_list_subject(const JavaOptions &options)
{
    Subject subject = {kSkipList, "ConcurrentSkipListMap",
                       [options] { return std::make_unique<SkipListMap>(options); }};
    subject.own_process = true;
    return subject;
}

} // namespace bench
