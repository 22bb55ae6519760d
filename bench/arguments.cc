// SPDX-License-Identifier: BSD-2-Clause
#include "bench/arguments.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "bench/sets/line_reader.h"

namespace bench
{

std::vector<std::string> split_list(const std::string &option, const std::string &text)
{
    std::vector<std::string> items;
    for (size_t begin = 0;;) {
        size_t comma = text.find(',', begin);
        std::string item = text.substr(begin, comma - begin);
        if (item.empty())
            throw std::invalid_argument(option + ": '" + text + "' has an empty item");
        if (std::find(items.begin(), items.end(), item) == items.end())
            items.push_back(item);
        if (comma == std::string::npos)
            return items;
        begin = comma + 1;
    }
}

uint64_t number(const std::string &option, const std::string &text, uint64_t least, uint64_t most)
{
    uint64_t value;
    if (!parse_number(text, &value) || value < least || value > most)
        throw std::invalid_argument(option + ": '" + text + "' is not a number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
    return value;
}

// `bazel run` starts the program elsewhere than where the user typed the path.
std::string user_path(const std::string &path)
{
    const char *folder = getenv("BUILD_WORKING_DIRECTORY");
    if (path.empty() || path[0] == '/' || folder == nullptr)
        return path;
    return std::string(folder) + "/" + path;
}

} // namespace bench
