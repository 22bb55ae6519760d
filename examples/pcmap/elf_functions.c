// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/elf_functions.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/pcmap/debug_file.h"

/* ---- what was found ---- */

/* The array with room for `needed` elements, or NULL: then it is as it was. */
static void *grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    size_t wanted = *capacity > 0 ? *capacity : 256;

    while (wanted < needed) {
        wanted *= 2;
    }
    if (wanted != *capacity) {
        array = realloc(array, wanted * size);
        *capacity = array != NULL ? wanted : *capacity;
    }
    return array;
}

static bool add(struct elf_functions *functions, uint64_t start, uint64_t last, const char *name,
                uint32_t rank)
{
    size_t bytes = strlen(name) + 1, names_bytes = functions->names_bytes;
    struct elf_function *list =
        grow(functions->list, &functions->capacity, functions->count + 1, sizeof *list);
    char *names = grow(functions->names, &functions->names_capacity, names_bytes + bytes, 1);

    functions->list = list != NULL ? list : functions->list;
    functions->names = names != NULL ? names : functions->names;
    if (list == NULL || names == NULL || names_bytes > UINT32_MAX) {
        return false;
    }
    list[functions->count++] = (struct elf_function){start, last, (uint32_t)names_bytes, rank};
    memcpy(names + names_bytes, name, bytes);
    functions->names_bytes += bytes;
    return true;
}

void elf_functions_free(struct elf_functions *functions)
{
    free(functions->list);
    free(functions->names);
    *functions = (struct elf_functions){0};
}

/* ---- sections: for code that no symbol names ---- */

static bool add_section(struct elf_functions *functions, const GElf_Shdr *header, const char *name)
{
    char label[64] = "[";

    strncat(label, name, sizeof label - 3);
    (void)strcat(label, "]");
    return add(functions, header->sh_addr, header->sh_addr + header->sh_size - 1, label, 0);
}

static bool add_sections(Elf *elf, struct elf_functions *functions)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0) {
        return true;
    }
    while ((section = elf_nextscn(elf, section)) != NULL) {
        const char *name;

        if (gelf_getshdr(section, &header) == NULL || (header.sh_flags & SHF_EXECINSTR) == 0 ||
            (header.sh_flags & SHF_ALLOC) == 0 || header.sh_size == 0) {
            continue;
        }
        name = elf_strptr(elf, names, header.sh_name);
        if (!add_section(functions, &header, name != NULL ? name : "?")) {
            return false;
        }
    }
    return true;
}

/* ---- symbols ---- */

/* Global names before weak and local ones, then those with fewer underscores in front: malloc, not __libc_malloc. */
static uint32_t rank_of(const GElf_Sym *symbol, const char *name)
{
    unsigned binding = GELF_ST_BIND(symbol->st_info);
    uint32_t rank = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 100 : 200;

    return rank + (uint32_t)strspn(name, "_");
}

static bool add_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct elf_functions *functions)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data == NULL || header->sh_entsize == 0 ? 0 : header->sh_size / header->sh_entsize;

    for (size_t i = 0; i < count; i++) {
        const char *name;
        GElf_Sym symbol;
        unsigned type;

        if (gelf_getsym(data, (int)i, &symbol) == NULL || symbol.st_shndx == SHN_UNDEF ||
            symbol.st_value + symbol.st_size < symbol.st_value) {
            continue;
        }
        type = GELF_ST_TYPE(symbol.st_info);
        name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || name == NULL || *name == '\0') {
            continue;
        }
        /* Of size 0, as hand-written assembly leaves it, is marked by last < start. */
        if (!add(functions, symbol.st_value, symbol.st_value + symbol.st_size - 1, name,
                 rank_of(&symbol, name))) {
            return false;
        }
    }
    return true;
}

static Elf_Scn *section_of_type(Elf *elf, GElf_Word type, GElf_Shdr *header)
{
    Elf_Scn *section = NULL;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        if (gelf_getshdr(section, header) != NULL && header->sh_type == type) {
            break;
        }
    }
    return section;
}

/* By start, the longer first, then by rank. */
static int by_place(const void *a, const void *b)
{
    const struct elf_function *left = a, *right = b;

    if (left->start != right->start) {
        return left->start < right->start ? -1 : 1;
    }
    if (left->last != right->last) {
        return left->last > right->last ? -1 : 1;
    }
    return (left->rank > right->rank) - (left->rank < right->rank);
}

/* Functions of size 0 reach to the next symbol, or to the end of their section. */
static void extend(struct elf_function *function, const struct elf_function *next,
                   const struct elf_function *end, const struct elf_function *sections, size_t section_count)
{
    function->last = function->start;
    for (size_t i = 0; i < section_count; i++) {
        if (sections[i].start <= function->start && sections[i].last >= function->start) {
            function->last = sections[i].last;
        }
    }
    while (next < end && next->start == function->start) {
        next++;
    }
    if (next < end && next->start <= function->last) {
        function->last = next->start - 1;
    }
}

/* Sorts what comes after the sections; of several names for the same code the best stays. */
static void arrange(struct elf_functions *functions, size_t section_count)
{
    struct elf_function *list = functions->list + section_count, *end = functions->list + functions->count;
    struct elf_function *kept = list;

    if (list == end) {
        return;
    }
    qsort(list, (size_t)(end - list), sizeof *list, by_place);
    for (struct elf_function *next = list; next < end; next++) {
        if (next->last + 1 == next->start) {
            if (next > list && kept > list && kept[-1].start == next->start) {
                continue; /* one with a size begins there */
            }
            extend(next, next + 1, end, functions->list, section_count);
        }
        if (kept == list || kept[-1].start != next->start || kept[-1].last != next->last) {
            *kept++ = *next;
        }
    }
    functions->count = (size_t)(kept - functions->list);
}

/* The symbols of a file that a stripped one names as its own. 1: there are none. */
static int add_symbols_of(int file, struct elf_functions *functions)
{
    Elf *elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
    Elf_Scn *symbols;
    GElf_Shdr header;
    int result = 1;

    if (elf != NULL && elf_kind(elf) == ELF_K_ELF) {
        symbols = section_of_type(elf, SHT_SYMTAB, &header);
        if (symbols != NULL) {
            result = add_symbols(elf, symbols, &header, functions) ? 0 : -ENOMEM;
        }
    }
    (void)elf_end(elf);
    return result;
}

/* .symtab; or, where that was stripped, that of its debug file; or .dynsym. `path` NULL: an image has no such file. */
static int add_best_symbols(Elf *elf, const char *path, struct elf_functions *functions)
{
    GElf_Shdr header;
    Elf_Scn *symbols = section_of_type(elf, SHT_SYMTAB, &header);
    int file = symbols == NULL && path != NULL ? debug_file_open(elf, path) : -1, result = 1;

    if (file >= 0) {
        result = add_symbols_of(file, functions);
        (void)close(file);
    }
    if (result <= 0) {
        return result;
    }
    if (symbols == NULL) {
        symbols = section_of_type(elf, SHT_DYNSYM, &header);
    }
    return symbols == NULL || add_symbols(elf, symbols, &header, functions) ? 0 : -ENOMEM;
}

static int read_functions(Elf *elf, const char *path, struct elf_functions *functions)
{
    size_t section_count;

    *functions = (struct elf_functions){0};
    if (elf_kind(elf) != ELF_K_ELF) {
        return -ENOEXEC;
    }
    if (!add_sections(elf, functions)) {
        elf_functions_free(functions);
        return -ENOMEM;
    }
    section_count = functions->count;
    if (add_best_symbols(elf, path, functions) != 0) {
        elf_functions_free(functions);
        return -ENOMEM;
    }
    arrange(functions, section_count);
    return 0;
}

/* ---- where from ---- */

int elf_functions_of_file(const char *path, const char *name, struct elf_functions *functions)
{
    int file = open(path, O_RDONLY | O_CLOEXEC), result = -ENOEXEC;
    Elf *elf;

    if (file < 0) {
        return -ENOENT;
    }
    (void)elf_version(EV_CURRENT);
    elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
    if (elf != NULL) {
        result = read_functions(elf, name, functions);
        (void)elf_end(elf);
    }
    (void)close(file);
    return result;
}

int elf_functions_of_image(const void *image, size_t bytes, struct elf_functions *functions)
{
    int result = -ENOEXEC;
    Elf *elf;

    (void)elf_version(EV_CURRENT);
    elf = elf_memory((char *)(uintptr_t)image, bytes); /* which it does not write */
    if (elf != NULL) {
        result = read_functions(elf, NULL, functions);
        (void)elf_end(elf);
    }
    return result;
}
