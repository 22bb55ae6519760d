// SPDX-License-Identifier: BSD-2-Clause
#include "bench/workload/mix.h"

#include "bench/workload/keys.h"
#include "bench/workload/subject_map.h"

namespace bench
{

const char *mode_name(LookupMode mode)
{
    switch (mode) {
    case LookupMode::kAlone:
        return "alone";
    case LookupMode::kBatch:
        return "batch";
    case LookupMode::kHeld:
        return "held";
    case LookupMode::kLarge:
        return "large batch";
    }
    return "?";
}

std::string threads_text(unsigned threads)
{
    return std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

MixInput::MixInput(const Ranges &set, unsigned threads, uint64_t seed)
    : ranges(std::make_shared<const Ranges>(set))
{
    for (unsigned i = 0; i < threads; i++)
        keys.push_back(random_hits(set, seed + i));
}

MixResult sum_tallies(const std::vector<MixTally> &tallies, const MixPlan &plan)
{
    MixResult result;
    for (const MixTally &tally : tallies) {
        result.wrong += tally.failed_updates;
        if (plan.misses)
            result.wrong += tally.hits;
        else if (plan.update_percent == 0 && plan.writers == 0)
            result.wrong += tally.lookups - tally.hits;
        if (tally.seconds > 0) {
            result.lookups_per_second += static_cast<double>(tally.lookups) / tally.seconds;
            result.updates_per_second += static_cast<double>(tally.updates) / tally.seconds;
        }
    }
    return result;
}

} // namespace bench
