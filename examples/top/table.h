// SPDX-License-Identifier: BSD-2-Clause
// A sample as text.
#ifndef EXAMPLES_TOP_TABLE_H
#define EXAMPLES_TOP_TABLE_H

#include "examples/top/sample.h"

namespace top
{

// Lines that end in '\n'. `before` is an older sample of the same process, for what is counted by the second, or null.
std::string table(const ProcessSample &now, const ProcessSample *before);

} // namespace top

#endif
