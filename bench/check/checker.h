// SPDX-License-Identifier: BSD-2-Clause
// Compares answers of a map with those of the oracle, counts them, and reports the ones that differ.
#ifndef RANGEMAP_BENCH_CHECK_CHECKER_H
#define RANGEMAP_BENCH_CHECK_CHECKER_H

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "bench/subjects/range.h"

namespace bench
{

class Checker
{
  public:
    // Labels, if any, name the values in reports and outlive the checker.
    explicit Checker(std::string set, const std::vector<std::string> *labels = nullptr)
        : set_(std::move(set)), labels_(labels)
    {
    }

    // What is being checked, for reports: "rangemap after rangemap_load()".
    void phase(const std::string &name)
    {
        phase_ = name;
    }

    // Each compares one answer; any thread may call them. NULL stands for no range, rc 0 for found.
    void range(const char *call, uint64_t key, const Range *expected, const Range *got)
    {
        answers_.fetch_add(1, std::memory_order_relaxed);
        bool same = expected == nullptr || got == nullptr ? expected == got : *expected == *got;
        if (!same)
            report(call, key, text(expected), text(got));
    }
    void value(const char *call, uint64_t key, const Range *expected, bool hit, uint64_t got)
    {
        answers_.fetch_add(1, std::memory_order_relaxed);
        if (hit != (expected != nullptr) || (hit && got != expected->value))
            report(call, key, text(expected), hit ? "value " + value_text(got) : "no range");
    }
    void number(const char *call, uint64_t key, int64_t expected, int64_t got)
    {
        answers_.fetch_add(1, std::memory_order_relaxed);
        if (expected != got)
            report(call, key, std::to_string(expected), std::to_string(got));
    }
    void contents(const char *call, const Ranges &expected, const Ranges &got);

    void report(const char *call, uint64_t key, const std::string &expected, const std::string &got);

    uint64_t answers() const
    {
        return answers_;
    }
    uint64_t mismatches() const
    {
        return mismatches_;
    }
    // Throws std::runtime_error if an answer was wrong.
    void expect_right() const;

    std::string text(const Range *range) const;

  private:
    std::string value_text(uint64_t value) const;

    const std::string set_;
    const std::vector<std::string> *labels_;
    std::string phase_;
    std::atomic<uint64_t> answers_{0};
    std::atomic<uint64_t> mismatches_{0};
    std::mutex printing_;
};

} // namespace bench

#endif
