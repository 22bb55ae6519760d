// SPDX-License-Identifier: BSD-2-Clause
// Maps whose packages are too large to ask everybody for: --config=peers.
#include "bench/core/subject.h"
#include "bench/subjects/concurrent_map.h"
#include "bench/subjects/icl.h"
#include "bench/subjects/interval_map.h"

namespace bench
{

std::vector<Subject> packaged_subjects()
{
    Subject tbb = {"concurrent_map", "tbb::concurrent_map",
                   [] { return std::make_unique<SubjectMapOf<ConcurrentMapSubject>>(); }};
    tbb.erases = tbb.overwrites = false;
    return {{"interval_map", "LLVM IntervalMap, rwlock",
             [] { return std::make_unique<SubjectMapOf<IntervalMapSubject>>(); }},
            {"icl", "boost::icl, rwlock", [] { return std::make_unique<SubjectMapOf<IclSubject>>(); }},
            tbb};
}

} // namespace bench
