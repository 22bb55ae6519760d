// SPDX-License-Identifier: BSD-2-Clause
/* The functions that an ELF file names, by libelf. */
#ifndef EXAMPLES_PCMAP_ELF_FUNCTIONS_H
#define EXAMPLES_PCMAP_ELF_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

struct elf_function {
    uint64_t start, last; /* inclusive, as linked: the load address comes on top */
    uint32_t name;        /* offset in `names` */
    uint32_t rank;        /* of several names for the same code the lowest is kept */
};

/*
 * What to enter in a map one after the other, each over what is there: executable sections, "[.plt]" and the like,
 * then functions by start, so that what lies inside another function comes after it.
 */
struct elf_functions {
    struct elf_function *list;
    size_t count, capacity;
    char *names;
    size_t names_bytes, names_capacity;
};

/*
 * Of the file at `path`, which is called `name`: .symtab; if that was stripped, of its debug file (debug_file.h); or
 * .dynsym. -ENOMEM, -ENOENT (no such file), -ENOEXEC or 0.
 */
int elf_functions_of_file(const char *path, const char *name, struct elf_functions *functions);

/* Of an image in memory, as the kernel's vDSO is. -ENOMEM, -ENOEXEC or 0. */
int elf_functions_of_image(const void *image, size_t bytes, struct elf_functions *functions);

void elf_functions_free(struct elf_functions *functions);

#endif
