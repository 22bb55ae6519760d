// SPDX-License-Identifier: BSD-2-Clause
// What pagemap tells, as text of 80 columns at most.
#ifndef EXAMPLES_TOP_PAGEMAP_TABLE_H
#define EXAMPLES_TOP_PAGEMAP_TABLE_H

#include "examples/top/sample.h"

namespace top
{

// Lines that end in '\n'. `before`, `seconds` older, is for what is counted by the second, or null.
std::string pagemap_table(const PagemapSample &now, const PagemapSample *before, double seconds);

} // namespace top

#endif
