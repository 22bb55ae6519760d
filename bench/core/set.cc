// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/set.h"

#include <algorithm>

#include "bench/core/check.h"
#include "bench/sets/csv.h"

namespace bench
{

constexpr uint64_t kPage = 4096, kLastKey = (uint64_t{1} << 48) - 1; // of an address space

bool Set::whole_pages() const
{
    return std::all_of(ranges->begin(), ranges->end(), [](const Range &range) {
        return range.start % kPage == 0 && (range.last + 1) % kPage == 0 && range.last <= kLastKey;
    });
}

static Set synthetic_set(const std::string &name, const std::string &shape, size_t count, uint64_t seed)
{
    Set set;
    set.name = name;
    set.shape = shape;
    set.aligned = shape == "pages";
    set.facts.source = "synthetic, seed " + std::to_string(seed);
    Ranges ranges = set.aligned ? page_ranges(count, seed) : synthetic_ranges(count, seed);
    bool own_maps = shape == "gaps" || shape == "pins";
    set.count = own_maps ? count : 0;
    set.ranges = std::make_shared<const Ranges>(own_maps ? Ranges() : ranges);
    set.facts.ranges = count;
    return set;
}

static Set real_set(const std::string &name, const Options &options)
{
    RangeSet found =
        name == "file" ? must_load(load_csv("file", options.file)) : load_real_set(name, options.files);
    if (found.skipped.empty() && found.ranges.empty())
        found.skipped = "it holds no range";
    Set set;
    set.name = set.shape = name;
    set.actions = found.actions;
    set.facts.source = found.source;
    set.facts.skipped = found.skipped;
    set.facts.notes = found.notes;
    set.facts.malformed = found.malformed;
    set.facts.ranges = found.ranges.size();
    set.facts.actions = found.actions.size();
    set.ranges = std::make_shared<const Ranges>(found.skipped.empty() ? found.ranges : Ranges());
    set.labels = std::move(found.labels);
    return set;
}

Set make_set(const std::string &name, const Options &options)
{
    size_t at = name.find_first_of(":-"); // of compare and of replay: "mixed:16", "synthetic-16"
    std::string shape = name.substr(0, at);
    Set set = at == std::string::npos
                  ? real_set(name, options)
                  : synthetic_set(name, shape, std::stoul(name.substr(at + 1)), options.seed);
    set.facts.name = name;
    return set;
}

SubjectMap &Loaded::made(const Subject &subject)
{
    std::unique_ptr<SubjectMap> &map = maps_[subject.name];
    if (map == nullptr) {
        progress_.step(set_.name + ": checking " + subject.title);
        map = subject.make();
        check_subject(subject, *map, seed_, checker_);
    }
    return *map;
}

SubjectMap &Loaded::map(const Subject &subject)
{
    filled_[subject.name] = false;
    return made(subject);
}

SubjectMap &Loaded::filled(const Subject &subject)
{
    SubjectMap &map = made(subject);
    if (!filled_[subject.name]) {
        progress_.step(set_.name + ": filling " + subject.title);
        map.clear();
        if (subject.updates && !set_.bulk && set_.ranges->size() <= subject.most_updated)
            map.insert_all(shuffled_ranges());
        else
            map.load(*set_.ranges);
        check_holds(subject, map, *set_.ranges, checker_);
        filled_[subject.name] = true;
    }
    return map;
}

const Ranges &Loaded::shuffled_ranges()
{
    if (shuffled_.empty())
        shuffled_ = shuffled(*set_.ranges, seed_);
    return shuffled_;
}

const MixInput &Loaded::input(const Row &row)
{
    std::string name = std::string(pattern_name(row.keys.pattern)) + (row.keys.hit ? " hit " : " miss ") +
                       std::to_string(row.plan.threads) + (row.halves ? " halves" : "");
    auto [found, is_new] = inputs_.try_emplace(name);
    if (!is_new)
        return found->second;
    found->second.ranges = set_.ranges;
    size_t count = set_.ranges->size(), threads = row.plan.threads;
    for (size_t i = 0; i < threads; i++) {
        size_t first = row.halves ? count * i / threads : 0;
        size_t behind = row.halves ? count * (i + 1) / threads : count;
        std::vector<uint64_t> keys;
        if (behind > first)
            keys = draw_keys(*set_.ranges, first, behind - first, row.keys, seed_ + i);
        found->second.keys.push_back(std::move(keys));
    }
    return found->second;
}

bool Loaded::has_keys(const Row &row)
{
    const std::vector<std::vector<uint64_t>> &lists = input(row).keys;
    return std::none_of(lists.begin(), lists.end(), [](const auto &keys) { return keys.empty(); });
}

void Loaded::settle(const Subject &subject)
{
    maps_.at(subject.name)->settle();
}

void Loaded::check_again(const Subject &subject)
{
    if (!filled_[subject.name])
        return;
    progress_.step(set_.name + ": checking " + subject.title + " again");
    settle(subject);
    check_holds(subject, *maps_[subject.name], *set_.ranges, checker_);
}

} // namespace bench
