// SPDX-License-Identifier: BSD-2-Clause
// What the benchmark is doing, on standard error.
#ifndef RANGEMAP_BENCH_PROGRESS_H
#define RANGEMAP_BENCH_PROGRESS_H

#include <string>

namespace bench
{

class Progress
{
  public:
    Progress();

    // A new stage: always a line.
    void stage(const std::string &text);
    // A step of it: on a terminal it overwrites the line, elsewhere at most one line in two seconds.
    void step(const std::string &text);
    // Clears the line before other output.
    void done();

    double seconds() const;

  private:
    bool terminal_;
    bool dirty_ = false;
    double begin_;
    double printed_ = 0;
};

} // namespace bench

#endif
