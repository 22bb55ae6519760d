// SPDX-License-Identifier: BSD-2-Clause
// An ELF file while it is open, by libelf.
#ifndef RANGEMAP_BENCH_ELF_FILE_H
#define RANGEMAP_BENCH_ELF_FILE_H

#include <gelf.h>
#include <libelf.h>

#include <string>

namespace bench
{

class ElfFile
{
  public:
    explicit ElfFile(const std::string &path);
    ~ElfFile();
    ElfFile(const ElfFile &) = delete;
    ElfFile &operator=(const ElfFile &) = delete;

    Elf *elf() const
    {
        return elf_;
    }
    // Why it cannot be read; empty if it can. Without an error the other members may be used.
    const std::string &error() const
    {
        return error_;
    }

    // The first section of type `type`, such as SHT_SYMTAB, and its header; NULL if there is none.
    Elf_Scn *section_of_type(GElf_Word type, GElf_Shdr *header) const;
    Elf_Scn *section_of_name(const std::string &name) const;

  private:
    int file_ = -1;
    Elf *elf_ = nullptr;
    std::string error_;
};

} // namespace bench

#endif
