// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/line_reader.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace bench
{

constexpr uint64_t kReported = 100;

LineReader::LineReader(const std::string &path) : path_(path)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        error_ = "is a directory";
        return;
    }
    errno = 0;
    file_.open(path);
    if (!file_)
        error_ = errno != 0 ? strerror(errno) : "cannot be opened";
}

bool LineReader::next(std::string_view *line)
{
    if (!std::getline(file_, buffer_))
        return false;
    number_++;
    *line = trim(buffer_);
    return true;
}

void LineReader::malformed(const std::string &why)
{
    malformed_++;
    if (malformed_ <= kReported)
        fprintf(stderr, "%s:%llu: %s; line skipped\n", path_.c_str(),
                static_cast<unsigned long long>(number_), why.c_str());
    else if (malformed_ == kReported + 1)
        fprintf(stderr, "%s: further malformed lines are only counted\n", path_.c_str());
}

std::string_view trim(std::string_view text)
{
    constexpr std::string_view kSpace = " \t\r\n\f\v";
    size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split_words(std::string_view line)
{
    std::vector<std::string_view> words;
    while (!(line = trim(line)).empty()) {
        size_t end = line.find_first_of(" \t");
        words.push_back(line.substr(0, end));
        line = end == std::string_view::npos ? std::string_view() : line.substr(end);
    }
    return words;
}

static bool parse_base(std::string_view text, int base, uint64_t *number)
{
    const char *end = text.data() + text.size();
    auto result = std::from_chars(text.data(), end, *number, base);
    return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

bool parse_hex(std::string_view text, uint64_t *number)
{
    return parse_base(text, 16, number);
}

bool parse_number(std::string_view text, uint64_t *number)
{
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_hex(text.substr(2), number);
    return parse_base(text, 10, number);
}

} // namespace bench
