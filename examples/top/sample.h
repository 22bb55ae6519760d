// SPDX-License-Identifier: BSD-2-Clause
// What a process says of its maps, and how it is asked.
#ifndef EXAMPLES_TOP_SAMPLE_H
#define EXAMPLES_TOP_SAMPLE_H

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "examples/top/stacks.h"

namespace top
{

struct MapSample {
    std::string name;
    int error; // an errno; the rest is 0 then
    uint64_t ranges, leaves, inner_nodes, bytes;
    unsigned height;
};

struct DomainSample {
    std::string id;
    int error; // an errno; what follows up to the maps is 0 then
    unsigned threads;
    uint64_t epoch, retries, chunk_bytes, node_bytes, pending_bytes;
    long blocker_tid; // 0: none
    unsigned blocker_behind;
    std::string blocker_name;
    std::vector<MapSample> maps;
};

// A range of a device.
struct DeviceSample {
    std::string start, end, type;
    unsigned range, ranges;
    uint64_t references;
    bool is_dying;
};

// What pagemap tells, if the process publishes it; counters by their names in pagemap/statistics.h.
struct PagemapSample {
    bool is_published = false;
    std::vector<DeviceSample> devices;
    std::map<std::string, uint64_t> counters;
};

struct ProcessSample {
    long pid;
    std::string program;
    std::chrono::steady_clock::time_point when;
    std::vector<DomainSample> domains;
    PagemapSample pagemap;
    std::shared_ptr<const StacksSample> stacks; // null: none are recorded
};

// The folder of the sockets. Throws std::runtime_error.
std::string folder();

// The processes that have a socket there, in ascending order. Some may have gone and left it.
std::vector<long> publishers(const std::string &folder);

// Asks one process; its plain answer. Throws std::runtime_error that says why there is none, after so long without any.
std::string ask(const std::string &folder, long pid, double patience_seconds);

// Of a process that publishes nothing.
ProcessSample sample(long pid);

// Takes an answer apart. Throws std::runtime_error if it is none.
ProcessSample sample(long pid, const std::string &answer);

} // namespace top

#endif
