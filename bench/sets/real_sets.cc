// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/real_sets.h"

#include <stdexcept>

#include "bench/runfiles.h"
#include "bench/sets/csv.h"
#include "bench/sets/elf_symbols.h"
#include "bench/sets/iomem.h"
#include "bench/sets/mmap_trace.h"
#include "bench/sets/proc_maps.h"

namespace bench
{

constexpr const char *kGeoip = "/usr/share/tor/geoip"; // of Debian's tor-geoipdb

// The trace that the project ships.
static std::string shipped_trace()
{
    const std::string name = "bench/data/build.trace";
    std::string path = find_runfile(name);
    return path.empty() ? name : path;
}

RangeSet must_load(RangeSet set)
{
    if (!set.skipped.empty())
        throw std::invalid_argument(set.source + ": " + set.skipped);
    return set;
}

const std::vector<std::string> &real_set_names()
{
    static const std::vector<std::string> names = {"geoip", "iomem", "maps", "elf", "mmap"};
    return names;
}

RangeSet load_real_set(const std::string &name, const SetFiles &files)
{
    if (name == "geoip")
        return files.geoip.empty() ? load_csv("geoip", kGeoip) : must_load(load_csv("geoip", files.geoip));
    if (name == "iomem")
        return load_iomem("/proc/iomem");
    if (name == "maps")
        return load_proc_maps("/proc");
    if (name == "elf")
        return files.elf.empty() ? load_elf_symbols(find_large_library())
                                 : must_load(load_elf_symbols(files.elf));
    return files.trace.empty() ? load_mmap_trace(shipped_trace()) : must_load(load_mmap_trace(files.trace));
}

} // namespace bench
