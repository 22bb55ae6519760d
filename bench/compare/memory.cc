// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bench/compare/pipes.h"
#include "bench/workload/keys.h"

namespace bench
{

const std::vector<std::string> &memory_rows()
{
    static const std::vector<std::string> rows = {"memory_ordered", "memory_random"};
    return rows;
}

static double resident_bytes()
{
    std::ifstream file("/proc/self/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

MemoryUse probe_memory(const Stage &stage, const Peer &peer, const std::string &row, uint64_t seed)
{
    bool random = row == "memory_random";
    Ranges order = random ? shuffled(*stage.ranges, seed) : *stage.ranges;
    std::unique_ptr<Contender> map = peer.make();
    double heap = peer.own_process ? static_cast<double>(map->bytes()) : 0;
    double resident = resident_bytes();
    if (random)
        map->insert_all(order);
    else
        map->load(order);
    map->settle();
    MemoryUse use;
    use.bytes = static_cast<double>(map->bytes()) - heap;
    // Of another process nothing can be said.
    use.resident_bytes = peer.own_process ? 0 : std::max(0.0, resident_bytes() - resident);
    return use;
}

void print_memory(const MemoryUse &use)
{
    printf("%.0f %.0f\n", use.bytes, use.resident_bytes);
}

MemoryUse probe_in_child(const std::vector<std::string> &arguments)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        throw std::runtime_error("/proc/self/exe cannot be read");
    std::vector<std::string> command = {std::string(program, static_cast<size_t>(length))};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::string line = run_and_read(command);
    MemoryUse use;
    if (sscanf(line.c_str(), "%lf %lf", &use.bytes, &use.resident_bytes) != 2)
        throw std::runtime_error("a measurement of memory failed; its message is above");
    return use;
}

} // namespace bench
