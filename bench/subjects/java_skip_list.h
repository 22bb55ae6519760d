// SPDX-License-Identifier: BSD-2-Clause
// java.util.concurrent.ConcurrentSkipListMap as a subject: a Java program on the other end of two pipes.
#ifndef RANGEMAP_BENCH_SUBJECTS_JAVA_SKIP_LIST_H
#define RANGEMAP_BENCH_SUBJECTS_JAVA_SKIP_LIST_H

#include <string>

#include "bench/core/subject.h"

namespace bench
{

struct JavaOptions {
    std::string java = "java"; // the program, looked for in PATH
    std::string jar;           // of //bench/java:skip_list
    unsigned warm_up_ms = 3000;
};

// Empty if `options` will do; else why there can be no Java program.
std::string why_no_java(const JavaOptions &options);

Subject skip_list_subject(const JavaOptions &options);

// Name and version of the virtual machine that answered last; empty if none did.
const std::string &java_version();

} // namespace bench

#endif
