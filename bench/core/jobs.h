// SPDX-License-Identifier: BSD-2-Clause
// The rows of a set as jobs of the harness.
#ifndef RANGEMAP_BENCH_CORE_JOBS_H
#define RANGEMAP_BENCH_CORE_JOBS_H

#include <cstdint>

#include "bench/core/harness.h"

namespace bench
{

// Rows of set().rows for each subject that can. They use the loaded maps.
std::vector<Job> set_jobs(Loaded &loaded, const std::vector<Subject> &subjects, Team &team);

// Memory of a filled map, in a process of its own, so that nothing else has touched the allocators.
std::vector<Job> memory_jobs(const Set &set, const std::vector<Subject> &subjects, const Options &options);

// What such a process does: prints what the map's allocator says is in use, and by how much resident memory grew.
void print_memory(const Set &set, const Subject &subject, const std::string &row, uint64_t seed);

// On maps of so many ranges, which they bring with them, since they are none of SubjectMap's.
std::vector<Job> gap_jobs(size_t ranges, const Options &options, Team &team);
std::vector<Job> window_jobs(size_t ranges, const Options &options, Team &team);
std::vector<Job> pin_jobs(size_t buffers, const Options &options, Team &team);

} // namespace bench

#endif
