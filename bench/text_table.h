// SPDX-License-Identifier: BSD-2-Clause
// A table of text whose columns are as wide as they need to be; the first is aligned left, the others right.
#ifndef RANGEMAP_BENCH_TEXT_TABLE_H
#define RANGEMAP_BENCH_TEXT_TABLE_H

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace bench
{

class TextTable
{
  public:
    explicit TextTable(std::vector<std::string> head) : rows_{std::move(head)}
    {
    }

    void add(std::vector<std::string> row)
    {
        row.resize(rows_[0].size());
        rows_.push_back(std::move(row));
    }

    void print(FILE *out) const
    {
        if (rows_.size() == 1)
            return;
        std::vector<size_t> widths(rows_[0].size());
        for (const auto &row : rows_) {
            for (size_t i = 0; i < widths.size(); i++)
                widths[i] = std::max(widths[i], row[i].size());
        }
        for (const auto &row : rows_) {
            fprintf(out, "%-*s", static_cast<int>(widths[0]), row[0].c_str());
            for (size_t i = 1; i < widths.size(); i++)
                fprintf(out, "  %*s", static_cast<int>(widths[i]), row[i].c_str());
            fputc('\n', out);
        }
    }

  private:
    std::vector<std::vector<std::string>> rows_;
};

} // namespace bench

#endif
