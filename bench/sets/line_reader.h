// SPDX-License-Identifier: BSD-2-Clause
// Lines of a text file, and the report of those that make no sense.
#ifndef RANGEMAP_BENCH_SETS_LINE_READER_H
#define RANGEMAP_BENCH_SETS_LINE_READER_H

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace bench
{

class LineReader
{
  public:
    explicit LineReader(const std::string &path);

    // Why the file cannot be read; empty if it can.
    const std::string &error() const
    {
        return error_;
    }

    // The next line without its line end and without white space around it; false at the end of the file.
    bool next(std::string_view *line);

    uint64_t number() const
    {
        return number_;
    }

    // Reports the current line on standard error, as "path:number: why". After 100 lines only counts.
    void malformed(const std::string &why);
    uint64_t malformed_count() const
    {
        return malformed_;
    }

  private:
    std::string path_;
    std::ifstream file_;
    std::string buffer_;
    std::string error_;
    uint64_t number_ = 0;
    uint64_t malformed_ = 0;
};

std::string_view trim(std::string_view text);

// The words of a line.
std::vector<std::string_view> split_words(std::string_view line);

// A whole unsigned number, decimal, or hexadecimal with 0x in front; false if `text` is anything else.
bool parse_number(std::string_view text, uint64_t *number);
// The same, always hexadecimal, without 0x.
bool parse_hex(std::string_view text, uint64_t *number);

} // namespace bench

#endif
