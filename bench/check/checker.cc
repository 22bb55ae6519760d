// SPDX-License-Identifier: BSD-2-Clause
#include "bench/check/checker.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>

namespace bench
{

constexpr uint64_t kReported = 10;

std::string Checker::value_text(uint64_t value) const
{
    std::string text = std::to_string(value);
    return labels_ != nullptr && value < labels_->size() ? text + " (" + (*labels_)[value] + ")" : text;
}

std::string Checker::text(const Range *range) const
{
    if (range == nullptr)
        return "no range";
    char bounds[64];
    snprintf(bounds, sizeof bounds, "[%#" PRIx64 ", %#" PRIx64 "] = ", range->start, range->last);
    return bounds + value_text(range->value);
}

void Checker::report(const char *call, uint64_t key, const std::string &expected, const std::string &got)
{
    uint64_t count = ++mismatches_;
    std::lock_guard<std::mutex> lock(printing_);
    if (count <= kReported)
        fprintf(stderr, "WRONG ANSWER: set %s, %s: %s, key %" PRIu64 " (%#" PRIx64 "): expected %s, got %s\n",
                set_.c_str(), phase_.c_str(), call, key, key, expected.c_str(), got.c_str());
    else if (count == kReported + 1)
        fprintf(stderr, "set %s: further wrong answers are only counted\n", set_.c_str());
}

void Checker::expect_right() const
{
    if (mismatches_ != 0)
        throw std::runtime_error(set_ + ", " + phase_ + ": WRONG ANSWERS: " + std::to_string(mismatches_));
}

void Checker::contents(const char *call, const Ranges &expected, const Ranges &got)
{
    size_t count = std::max(expected.size(), got.size());
    for (size_t i = 0; i < count; i++) {
        const Range *want = i < expected.size() ? &expected[i] : nullptr;
        const Range *have = i < got.size() ? &got[i] : nullptr;
        range(call, want != nullptr ? want->start : have->start, want, have);
        if (mismatches_ > kReported)
            return;
    }
    number(call, 0, static_cast<int64_t>(expected.size()), static_cast<int64_t>(got.size()));
}

} // namespace bench
