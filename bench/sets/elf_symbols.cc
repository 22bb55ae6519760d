// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/elf_symbols.h"

#include <glob.h>
#include <link.h>

#include <algorithm>

#include "bench/elf_file.h"

namespace bench
{

namespace
{

struct Function {
    uint64_t start, last;
    const char *name;
};

struct Functions {
    std::vector<Function> list;
    uint64_t empty = 0, aliases = 0;
};

} // namespace

static void collect_functions(const ElfFile &file, Elf_Scn *scn, const GElf_Shdr &header,
                              Functions *functions)
{
    Elf_Data *data = elf_getdata(scn, nullptr);
    size_t count = data == nullptr || header.sh_entsize == 0 ? 0 : header.sh_size / header.sh_entsize;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr)
            continue;
        unsigned type = GELF_ST_TYPE(symbol.st_info);
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF)
            continue;
        uint64_t last = symbol.st_value + symbol.st_size - 1;
        if (symbol.st_size == 0 || last < symbol.st_value) {
            functions->empty++;
            continue;
        }
        const char *name = elf_strptr(file.elf(), header.sh_link, symbol.st_name);
        functions->list.push_back({symbol.st_value, last, name == nullptr ? "" : name});
    }
}

// By start, the longer first; names of the same bytes become one.
static void sort_and_merge(Functions *functions)
{
    std::vector<Function> &list = functions->list;
    std::stable_sort(list.begin(), list.end(), [](const Function &a, const Function &b) {
        return a.start != b.start ? a.start < b.start : a.last > b.last;
    });
    auto end = std::unique(list.begin(), list.end(), [](const Function &a, const Function &b) {
        return a.start == b.start && a.last == b.last;
    });
    functions->aliases = static_cast<uint64_t>(list.end() - end);
    list.erase(end, list.end());
}

RangeSet load_elf_symbols(const std::string &path)
{
    ElfFile file(path);
    if (!file.error().empty())
        return skipped_set("elf", path, file.error());
    GElf_Ehdr elf_header;
    if (gelf_getehdr(file.elf(), &elf_header) != nullptr && elf_header.e_type == ET_REL)
        return skipped_set("elf", path, "is an object file: its symbols have no addresses yet");
    GElf_Shdr header;
    Elf_Scn *scn = file.section_of_type(SHT_SYMTAB, &header);
    const char *table = scn != nullptr ? ".symtab" : ".dynsym";
    if (scn == nullptr)
        scn = file.section_of_type(SHT_DYNSYM, &header);
    Functions functions;
    if (scn != nullptr)
        collect_functions(file, scn, header, &functions);
    if (functions.list.empty())
        return skipped_set("elf", path, "has no functions in a symbol table");
    sort_and_merge(&functions);

    RangeSet set;
    set.name = "elf";
    set.source = path;
    Ranges ranges;
    for (const Function &function : functions.list) {
        ranges.push_back({function.start, function.last, set.labels.size()});
        set.labels.emplace_back(function.name);
    }
    set.notes.push_back(std::string(table) + ": " + std::to_string(ranges.size()) + " functions, " +
                        std::to_string(functions.aliases) + " aliases merged, " +
                        std::to_string(functions.empty) + " of size 0 left out");
    finish_set(&set, ranges);
    return set;
}

static int note_library(dl_phdr_info *info, size_t, void *context)
{
    auto *paths = static_cast<std::vector<std::string> *>(context);
    if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/')
        paths->emplace_back(info->dlpi_name);
    return 0;
}

std::string find_large_library()
{
    std::vector<std::string> loaded;
    dl_iterate_phdr(note_library, &loaded);
    std::string c_library, cxx_library;
    for (const std::string &path : loaded) {
        if (path.find("/libc.so") != std::string::npos)
            c_library = path;
        if (path.find("/libstdc++.so") != std::string::npos)
            cxx_library = path;
    }
    for (const std::string &beside : {cxx_library, c_library}) {
        if (beside.empty())
            continue;
        glob_t found = {};
        std::string pattern = beside.substr(0, beside.rfind('/')) + "/libLLVM*.so*";
        std::string first;
        if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
            first = found.gl_pathv[0];
        globfree(&found);
        if (!first.empty())
            return first;
    }
    return cxx_library.empty() ? c_library : cxx_library;
}

} // namespace bench
