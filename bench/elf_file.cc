// SPDX-License-Identifier: BSD-2-Clause
#include "bench/elf_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bench
{

ElfFile::ElfFile(const std::string &path)
{
    elf_version(EV_CURRENT);
    file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0)
        error_ = strerror(errno);
    else if ((elf_ = elf_begin(file_, ELF_C_READ_MMAP, nullptr)) == nullptr)
        error_ = elf_errmsg(-1);
    else if (elf_kind(elf_) != ELF_K_ELF)
        error_ = "is no ELF file";
}

ElfFile::~ElfFile()
{
    elf_end(elf_);
    if (file_ >= 0)
        close(file_);
}

Elf_Scn *ElfFile::section_of_type(GElf_Word type, GElf_Shdr *header) const
{
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf_, section)) != nullptr;) {
        if (gelf_getshdr(section, header) != nullptr && header->sh_type == type)
            return section;
    }
    return nullptr;
}

Elf_Scn *ElfFile::section_of_name(const std::string &name) const
{
    size_t names;
    if (elf_getshdrstrndx(elf_, &names) != 0)
        return nullptr;
    GElf_Shdr header;
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf_, section)) != nullptr;) {
        if (gelf_getshdr(section, &header) == nullptr)
            continue;
        const char *text = elf_strptr(elf_, names, header.sh_name);
        if (text != nullptr && name == text)
            return section;
    }
    return nullptr;
}

} // namespace bench
