// SPDX-License-Identifier: BSD-2-Clause
// Arguments of command line options. What makes no sense is thrown as std::invalid_argument.
#ifndef RANGEMAP_BENCH_ARGUMENTS_H
#define RANGEMAP_BENCH_ARGUMENTS_H

#include <cstdint>
#include <string>
#include <vector>

namespace bench
{

// Items between commas, each once.
std::vector<std::string> split_list(const std::string &option, const std::string &text);

uint64_t number(const std::string &option, const std::string &text, uint64_t least, uint64_t most);

template <class Number>
std::vector<Number> number_list(const std::string &option, const std::string &text, uint64_t least,
                                uint64_t most)
{
    std::vector<Number> numbers;
    for (const std::string &item : split_list(option, text))
        numbers.push_back(static_cast<Number>(number(option, item, least, most)));
    return numbers;
}

// `bazel run` starts the program elsewhere than where the user typed the path.
std::string user_path(const std::string &path);

} // namespace bench

#endif
