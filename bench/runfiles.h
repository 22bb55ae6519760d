// SPDX-License-Identifier: BSD-2-Clause
// Files that Bazel puts beside a program.
#ifndef RANGEMAP_BENCH_RUNFILES_H
#define RANGEMAP_BENCH_RUNFILES_H

#include <string>

namespace bench
{

// Where the file of this name in the repository lies: where `bazel run` starts the program, among the runfiles of
// the test that runs it, or among its own. An absolute path; empty if nowhere.
std::string find_runfile(const std::string &name);

} // namespace bench

#endif
