// SPDX-License-Identifier: BSD-2-Clause
// Address to symbol: the functions of an ELF file.
#ifndef RANGEMAP_BENCH_SETS_ELF_SYMBOLS_H
#define RANGEMAP_BENCH_SETS_ELF_SYMBOLS_H

#include "bench/sets/range_set.h"

namespace bench
{

/*
 * The defined functions in the symbol table of `path` (.symtab, else .dynsym), [st_value, +st_size - 1].
 * Functions of size 0 are left out, and names of the same bytes merged into the first; both are counted. Where
 * functions overlap, they are stored by start, the longer first, so that an inner one wins.
 */
RangeSet load_elf_symbols(const std::string &path);

// A large shared library of this system: an LLVM beside the C library, else the C++ or C library in use.
std::string find_large_library();

} // namespace bench

#endif
