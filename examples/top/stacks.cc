// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/stacks.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "examples/pcmap/record.h"

namespace top
{

StackRecords::StackRecords(std::string folder) : folder_(std::move(folder))
{
}

StackRecords::~StackRecords()
{
    for (const auto &process : processes_)
        record_close(process.second.source);
}

std::vector<long> StackRecords::processes() const
{
    std::vector<long> running;
    std::error_code error;
    if (folder_.empty())
        return running;
    for (const auto &file : std::filesystem::directory_iterator(folder_, error)) {
        long pid;
        char more;
        if (file.path().extension() == ".stacks" &&
            sscanf(file.path().stem().c_str(), "%ld%c", &pid, &more) == 1 && pid > 0 &&
            (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM))
            running.push_back(pid);
    }
    return running;
}

StackRecords::Process *StackRecords::find(long pid)
{
    const auto known = processes_.find(pid);
    if (known != processes_.end())
        return &known->second;
    record *source =
        folder_.empty() ? nullptr : record_open((folder_ + "/" + std::to_string(pid) + ".stacks").c_str());
    return source != nullptr ? &processes_.emplace(pid, Process{source, {}}).first->second : nullptr;
}

static void add(const char *stack, uint64_t samples, void *stacks)
{
    (*static_cast<std::map<std::string, uint64_t> *>(stacks))[stack] += samples;
}

std::unique_ptr<StacksSample> StackRecords::look(long pid)
{
    Process *process = find(pid);
    if (process == nullptr)
        return nullptr;
    std::map<std::string, uint64_t> added;
    if (!record_take(process->source, add, &added))
        process->stacks.clear();
    auto now = std::make_unique<StacksSample>();
    for (const auto &stack : added)
        process->stacks[stack.first] += stack.second;
    for (const auto &stack : process->stacks)
        now->samples += stack.second;
    now->dropped = record_lost(process->source).dropped;
    now->hottest.resize(std::min(kHottest, process->stacks.size()));
    std::partial_sort_copy(process->stacks.begin(), process->stacks.end(), now->hottest.begin(),
                           now->hottest.end(),
                           [](const auto &a, const auto &b) { return a.second > b.second; });
    return now;
}

// From the innermost frame on, which is of most interest where not all have room.
static std::string inside_out(const std::string &stack, size_t width)
{
    std::string text;
    size_t end = stack.size();
    for (;;) {
        const size_t before = end > 0 ? stack.rfind(';', end - 1) : std::string::npos;
        const size_t begin = before == std::string::npos ? 0 : before + 1;
        text += (text.empty() ? "" : " < ") + stack.substr(begin, end - begin);
        if (begin == 0 || text.size() > width)
            break;
        end = before;
    }
    return text.size() <= width ? text : text.substr(0, width - 1) + "~";
}

std::string stacks_table(const StacksSample &now, const StacksSample *before, double seconds)
{
    char line[128];
    std::string rate = "-";
    if (before != nullptr && seconds > 0 && now.samples >= before->samples)
        rate = std::to_string(
            static_cast<uint64_t>(static_cast<double>(now.samples - before->samples) / seconds + 0.5));
    snprintf(line, sizeof line, "stacks: %lu samples, %s/s, %lu found no room\n", now.samples, rate.c_str(),
             now.dropped);
    std::string text = line;
    text += "  samples  percent  function < its caller < ...\n";
    for (const auto &stack : now.hottest) {
        snprintf(line, sizeof line, "%9lu  %7.2f  ", stack.second,
                 100.0 * static_cast<double>(stack.second) / static_cast<double>(now.samples));
        text += line + inside_out(stack.first, 60) + "\n";
    }
    return text;
}

} // namespace top
