// SPDX-License-Identifier: BSD-2-Clause
// The state of the machine and the build, for the head of every benchmark's output.
#ifndef RANGEMAP_BENCH_MACHINE_H
#define RANGEMAP_BENCH_MACHINE_H

#include <string>
#include <utility>
#include <vector>

namespace bench
{

// Name and text of each fact, in the order in which to print them.
using MachineFacts = std::vector<std::pair<std::string, std::string>>;

MachineFacts machine_facts();

} // namespace bench

#endif
