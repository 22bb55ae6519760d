// SPDX-License-Identifier: BSD-2-Clause
// What takes packages that replay, the first command of README, does without.
#include "bench/core/subject.h"
#include "bench/subjects/eytzinger.h"
#include "bench/subjects/java_skip_list.h"
#include "bench/subjects/maple_tree.h"
#include "bench/subjects/page_table.h"
#include "bench/subjects/sorted_array.h"
#include "bench/subjects/urcu_array.h"
#include "bench/subjects/xarray.h"

namespace bench
{

std::vector<Subject> kernel_subjects()
{
    Subject maple = subject<MapleTreeSubject>(kMaple, "maple tree");
    Subject xarray = subject<XArraySubject>(kXArray, "XArray");
    maple.reclaims = xarray.reclaims = true;
    xarray.overwrites = false;
    xarray.most_unaligned = 65536; // a range of any bounds takes dozens of pieces and some 3 KiB
    return {maple, xarray};
}

std::vector<Subject> page_and_copy_subjects()
{
    Subject array = subject<UrcuArraySubject>("urcu_array", "sorted array, copied, liburcu");
    array.reclaims = true;
    array.most_updated = 4096; // filling larger ones takes minutes
    Subject pages = subject<PageTableSubject>("page_table", "page table, 4 KiB");
    pages.overwrites = false;
    pages.only_pages = true;
    return {array, pages};
}

std::vector<Subject> array_subjects()
{
    std::vector<Subject> arrays = {
        subject<SortedArraySubject>("sorted", "sorted array"),
        subject<EytzingerSubject>(kEytzinger, "Eytzinger array"),
        subject<InterleavedEytzingerSubject>("eytzinger_interleaved", "Eytzinger, interleaved")};
    for (Subject &array : arrays)
        array.updates = array.overwrites = false;
    arrays.back().looks_up = false;
    return arrays;
}

std::vector<Subject> subjects_of_own_rows()
{
    return {{kSetOfGaps, "gaps in std::set, mutex", nullptr},
            {kStdMapMutex, "std::map, mutex", nullptr},
            {kBtreeMapMutex, "absl::btree_map, mutex", nullptr}};
}

#ifndef BENCH_PACKAGED_SUBJECTS
std::vector<Subject> packaged_subjects()
{
    return {};
}
#endif

std::vector<Subject> all_subjects(const JavaOptions &java)
{
    std::vector<Subject> all = {rangemap_subject()};
    auto append = [&all](const std::vector<Subject> &more) {
        all.insert(all.end(), more.begin(), more.end());
    };
    append(kernel_subjects());
    append(rwlock_subjects());
    append(page_and_copy_subjects());
    append(packaged_subjects());
    all.push_back(skip_list_subject(java));
    append(array_subjects());
    append(subjects_of_own_rows());
    return all;
}

} // namespace bench
