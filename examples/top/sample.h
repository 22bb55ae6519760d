// SPDX-License-Identifier: BSD-2-Clause
// What a process says of its maps, and how it is asked.
#ifndef EXAMPLES_TOP_SAMPLE_H
#define EXAMPLES_TOP_SAMPLE_H

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

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

struct ProcessSample {
    long pid;
    std::string program;
    std::chrono::steady_clock::time_point when;
    std::vector<DomainSample> domains;
};

// The folder of the sockets. Throws std::runtime_error.
std::string folder();

// The processes that have a socket there, in ascending order. Some may have gone and left it.
std::vector<long> publishers(const std::string &folder);

// Asks one process; its plain answer. Throws std::runtime_error that says why there is none.
std::string ask(const std::string &folder, long pid);

// Takes an answer apart. Throws std::runtime_error if it is none.
ProcessSample sample(long pid, const std::string &answer);

} // namespace top

#endif
