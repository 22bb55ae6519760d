// SPDX-License-Identifier: BSD-2-Clause
// Files of "start,last,value" lines: the database of tor-geoipdb, or any file that the user names.
#ifndef RANGEMAP_BENCH_SETS_CSV_H
#define RANGEMAP_BENCH_SETS_CSV_H

#include "bench/sets/range_set.h"

namespace bench
{

/*
 * Reads `path`. Numbers are decimal or 0x...; the value is any text that is not empty. Empty lines and lines
 * that begin with # are comments. Other lines that are no range are reported and skipped. Where ranges
 * overlap, later lines overwrite earlier ones.
 */
RangeSet load_csv(const std::string &name, const std::string &path);

} // namespace bench

#endif
