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

// One that the project ships: data/NAME.trace.
static RangeSet load_shipped_trace(const std::string &set, const std::string &name)
{
    std::string file = "bench/data/" + name + ".trace";
    std::string path = find_runfile(file);
    return load_mmap_trace(set, path.empty() ? file : path);
}

RangeSet must_load(RangeSet set)
{
    if (!set.skipped.empty())
        throw std::invalid_argument(set.source + ": " + set.skipped);
    return set;
}

const std::vector<std::string> &real_set_names()
{
    static const std::vector<std::string> names = {"geoip", "iomem",     "maps",     "elf",
                                                   "mmap",  "mmap_java", "mmap_node"};
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
    if (name != "mmap")
        return load_shipped_trace(name, name.substr(name.find('_') + 1));
    return files.trace.empty() ? load_shipped_trace("mmap", "build")
                               : must_load(load_mmap_trace("mmap", files.trace));
}

} // namespace bench
