// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include "examples/vmwatch/program.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_along_path(const char *name)
{
    const char *at = getenv("PATH");
    char path[4096];

    if (strchr(name, '/') != NULL) {
        return open(name, O_RDONLY | O_CLOEXEC);
    }
    for (; at != NULL && *at != '\0'; at += strcspn(at, ":"), at += *at == ':') {
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)strcspn(at, ":"), at, name);
        if (access(path, X_OK) == 0) {
            return open(path, O_RDONLY | O_CLOEXEC);
        }
    }
    return -1;
}

/* The path of the dynamic linker that it names; empty if it names none. */
static void read_linker(int file, const Elf64_Ehdr *header, char *linker, size_t size)
{
    *linker = '\0';
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(header->e_phoff + i * sizeof segment);

        if (pread(file, &segment, sizeof segment, at) == sizeof segment && segment.p_type == PT_INTERP) {
            ssize_t bytes = pread(file, linker, size - 1, (off_t)segment.p_offset);

            linker[bytes > 0 ? bytes : 0] = '\0';
        }
    }
}

void program_check(const char *name, char *why, size_t size)
{
    int file = open_along_path(name);
    char linker[256];
    Elf64_Ehdr header;
    struct stat status;

    *why = '\0';
    if (file < 0) {
        return;
    }
    if (pread(file, &header, sizeof header, 0) == sizeof header &&
        memcmp(header.e_ident, ELFMAG, SELFMAG) == 0) {
        read_linker(file, &header, linker, sizeof linker);
        if (header.e_machine != EM_X86_64) {
            (void)snprintf(why, size, "it is not of x86-64");
        } else if (*linker == '\0') {
            (void)snprintf(why, size, "it is static, so nothing can be preloaded");
        } else if (strstr(linker, "ld-linux-x86-64.so.2") == NULL) {
            (void)snprintf(why, size,
                           "its dynamic linker is %.200s, under which a library of glibc does not start",
                           linker);
        } else if (fstat(file, &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID)) != 0 &&
                   geteuid() != 0) {
            (void)snprintf(why, size, "it changes its user, for which nothing is preloaded");
        }
    }
    (void)close(file);
}
