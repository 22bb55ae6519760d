// SPDX-License-Identifier: BSD-2-Clause
#include "bench/progress.h"

#include <unistd.h>

#include <cstdio>

#include "bench/workload/clock.h"

namespace bench
{

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) == 1), begin_(static_cast<double>(monotonic_ns()) * 1e-9)
{
}

double Progress::seconds() const
{
    return static_cast<double>(monotonic_ns()) * 1e-9 - begin_;
}

void Progress::stage(const std::string &text)
{
    done();
    fprintf(stderr, "[%5.1f s] %s\n", seconds(), text.c_str());
    printed_ = seconds();
}

void Progress::step(const std::string &text)
{
    if (terminal_)
        fprintf(stderr, "\r\033[K[%5.1f s] %s", seconds(), text.c_str());
    else if (seconds() - printed_ >= 2)
        fprintf(stderr, "[%5.1f s] %s\n", seconds(), text.c_str());
    else
        return;
    printed_ = seconds();
    dirty_ = terminal_;
}

void Progress::done()
{
    if (dirty_)
        fputs("\r\033[K", stderr);
    dirty_ = false;
}

} // namespace bench
