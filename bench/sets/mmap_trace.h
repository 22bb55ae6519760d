// SPDX-License-Identifier: BSD-2-Clause
// The address spaces of a program that ran, from a trace of its system calls that bench/record_mmap made.
#ifndef RANGEMAP_BENCH_SETS_MMAP_TRACE_H
#define RANGEMAP_BENCH_SETS_MMAP_TRACE_H

#include "bench/sets/range_set.h"

namespace bench
{

/*
 * One event a line; processes are small numbers, addresses hexadecimal with 0x, lengths decimal:
 *
 *   P map ADDRESS LENGTH rwx          P brk ADDRESS
 *   P unmap ADDRESS LENGTH            P exec
 *   P protect ADDRESS LENGTH rwx      P fork CHILD      (a copy of the address space)
 *   P move OLD LENGTH NEW LENGTH [keep]                 P thread CHILD    (the same address space)
 *
 * Each address space lies at a multiple of 2^48 of its own. map, protect, move and growth of the heap become
 * stores, the rest carves; protect stores each mapped piece anew, fork copies each. A space that exec leaves
 * is carved. What the kernel maps by itself (stack, vdso, the program file) is not in the trace.
 */
RangeSet load_mmap_trace(const std::string &name, const std::string &path);

} // namespace bench

#endif
