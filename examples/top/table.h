// SPDX-License-Identifier: BSD-2-Clause
// A sample as text.
#ifndef EXAMPLES_TOP_TABLE_H
#define EXAMPLES_TOP_TABLE_H

#include "examples/top/sample.h"

namespace top
{

// Lines that end in '\n'. `before` is an older sample of the same process, for what is counted by the second, or null.
// None is longer than 80 columns, but for names of programs and errors that are. The largest map of a domain comes
// first.
std::string table(const ProcessSample &now, const ProcessSample *before);

// What a terminal is told before such a line: bold, dim, or red for a domain that somebody blocks; "" for nothing.
const char *colour(const std::string &line);

} // namespace top

#endif
