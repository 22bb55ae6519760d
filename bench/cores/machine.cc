// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/machine.h"

#include <stdexcept>

namespace bench::cores
{

constexpr Ps kNs = 1000;
constexpr Ps kUs = 1000 * kNs;

// Transfers between cores: medians of nviennot's core-to-core-latency (github.com/nviennot/core-to-core-latency,
// README, 2023), where two cores exchange a word by compare-and-swap. First and second caches: Intel's and AMD's
// optimisation manuals (5 and 14 cycles; 4 and 12), of which `step` covers the first.
static const char kSource[] = "github.com/nviennot/core-to-core-latency, README";
static const char kAssumed[] = "last cache and memory, 2 ns between readers of a line, 6 ns a locked "
                               "instruction, membarrier(2) 5 us and 1 us for "
                               "each thread, tick 4 ms; time between accesses, and of an update, set so that "
                               "one thread is about as fast as on the machine of README";

static std::vector<Machine> make_machines()
{
    Machine xeon = {
        "xeon",
        "two Intel Xeon Platinum 8375C (Ice Lake), 32 cores each",
        std::string(kSource) + ": 51 ns within a socket, 108 ns across",
        kAssumed,
        32,
        32,
        {48 * 16, 12},
        {1280 * 16, 20},
        4 * kNs,
        22 * kNs,
        90 * kNs,
        {51 * kNs, 51 * kNs, 108 * kNs},
        2 * kNs,
        6 * kNs,
        5 * kUs,
        1 * kUs,
        4000 * kUs,
        290,
        700,
        50 * kNs,
    };
    Machine epyc = xeon;
    epyc.name = "epyc";
    epyc.what = "two AMD EPYC 7R13 (Milan), 48 cores each in groups of 8";
    epyc.source = std::string(kSource) + ": 23 ns within a group of 8, 107 ns within a socket, 197 ns across";
    epyc.cores_per_socket = 48;
    epyc.cores_per_group = 8;
    epyc.l1 = {32 * 16, 8};
    epyc.l2 = {512 * 16, 8};
    epyc.l2_hit = 3 * kNs;
    epyc.l3_hit = 13 * kNs;
    epyc.memory = 100 * kNs;
    epyc.transfer[0] = 23 * kNs;
    epyc.transfer[1] = 107 * kNs;
    epyc.transfer[2] = 197 * kNs;
    Machine here = xeon;
    here.name = "readme";
    here.what = "the virtual machine of README, two processors";
    here.source = "docs/performance.md: 169 ns from one processor to the other";
    here.cores_per_socket = here.cores_per_group = 2;
    here.l2 = {2048 * 16, 16};
    here.transfer[0] = here.transfer[1] = here.transfer[2] = 169 * kNs;
    here.barrier = 20 * kUs;
    here.interrupted = 5 * kUs;
    return {xeon, epyc, here};
}

const std::vector<Machine> &machines()
{
    static const std::vector<Machine> all = make_machines();
    return all;
}

const Machine &machine_named(const std::string &name)
{
    std::string known;
    for (const Machine &machine : machines()) {
        if (machine.name == name)
            return machine;
        known += (known.empty() ? "" : ", ") + machine.name;
    }
    throw std::invalid_argument("--machine: '" + name + "' is none of " + known);
}

Topology::Topology(const Machine &machine, unsigned threads, unsigned sockets)
{
    unsigned first_group = 0;
    for (unsigned socket = 0; socket < sockets; socket++) {
        unsigned here = threads * (socket + 1) / sockets - threads * socket / sockets;
        unsigned groups = (here + machine.cores_per_group - 1) / machine.cores_per_group;
        for (unsigned i = 0; i < here; i++)
            group_.push_back(first_group + i / machine.cores_per_group);
        socket_of_group_.insert(socket_of_group_.end(), groups, socket);
        first_group += groups;
    }
}

} // namespace bench::cores
