// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/debug_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "/usr/lib/debug"

enum { PATH = 4096, ID_MAX = 64 };

static int open_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int open_path(const char *format, ...)
{
    char path[PATH];
    va_list more;
    int length;

    va_start(more, format);
    length = vsnprintf(path, sizeof path, format, more);
    va_end(more);
    return length > 0 && length < PATH ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* The section's data, or NULL. */
static Elf_Data *section_named(Elf *elf, const char *wanted)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0) {
        return NULL;
    }
    while ((section = elf_nextscn(elf, section)) != NULL) {
        const char *name =
            gelf_getshdr(section, &header) != NULL ? elf_strptr(elf, names, header.sh_name) : NULL;

        if (name != NULL && strcmp(name, wanted) == 0) {
            return elf_getdata(section, NULL);
        }
    }
    return NULL;
}

static int open_by_id(Elf *elf)
{
    Elf_Data *data = section_named(elf, ".note.gnu.build-id");
    size_t name_offset, id_offset;
    char text[2 * ID_MAX + 1];
    GElf_Nhdr note;

    if (data == NULL || gelf_getnote(data, 0, &note, &name_offset, &id_offset) == 0 || note.n_descsz < 2 ||
        note.n_descsz > ID_MAX) {
        return -1;
    }
    for (size_t i = 0; i < note.n_descsz; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)data->d_buf)[id_offset + i]);
    }
    return open_path(FOLDER "/.build-id/%.2s/%s.debug", text, text + 2);
}

static int open_by_link(Elf *elf, const char *path)
{
    Elf_Data *data = section_named(elf, ".gnu_debuglink");
    const char *name = data != NULL ? data->d_buf : NULL, *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) : 0, file;

    if (name == NULL || memchr(name, '\0', data->d_size) == NULL || slash == NULL) {
        return -1;
    }
    file = open_path("%.*s/.debug/%s", folder, path, name);
    file = file >= 0 ? file : open_path(FOLDER "%.*s/%s", folder, path, name);
    return file >= 0 || strcmp(name, slash + 1) == 0 ? file : open_path("%.*s/%s", folder, path, name);
}

int debug_file_open(Elf *elf, const char *path)
{
    int file = open_by_id(elf);

    return file >= 0 ? file : open_by_link(elf, path);
}
