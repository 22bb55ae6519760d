// SPDX-License-Identifier: BSD-2-Clause
// The results as a JSON file.
#ifndef RANGEMAP_BENCH_REPLAY_REPORT_JSON_H
#define RANGEMAP_BENCH_REPLAY_REPORT_JSON_H

#include "bench/machine.h"
#include "bench/replay/targets.h"

namespace bench
{

// Rates are per second, latencies in nanoseconds, bytes 0 where not known. Throws std::system_error if the file cannot be written.
void write_json(const std::string &path, const MachineFacts &facts, const Options &options,
                const std::vector<SetResult> &results, const std::vector<Target> &targets);

} // namespace bench

#endif
