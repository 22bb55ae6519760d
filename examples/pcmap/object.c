// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* struct dl_phdr_info */
#include "examples/pcmap/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* ---- ownership ---- */

void object_own(struct object *object)
{
    (void)__atomic_fetch_add(&object->owners, 1, __ATOMIC_RELAXED);
}

/* Acquire and release: what the other owners did comes before the end. */
bool object_disown(struct object *object)
{
    return __atomic_fetch_sub(&object->owners, 1, __ATOMIC_ACQ_REL) == 1;
}

void object_free(struct object *object)
{
    elf_functions_free(&object->elf);
    free(object->functions);
    free(object);
}

/* ---- what it is ---- */

bool object_is(const struct object *object, const struct dl_phdr_info *info)
{
    return object->base == info->dlpi_addr && object->headers == info->dlpi_phdr &&
           (*info->dlpi_name == '\0' || strcmp(object->name, info->dlpi_name) == 0);
}

static void find_extent(struct object *object)
{
    object->start = UINT64_MAX;
    object->last = 0;
    for (unsigned i = 0; i < object->header_count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];
        uint64_t start = object->base + header->p_vaddr, last = start + header->p_memsz - 1;

        if (header->p_type == PT_LOAD && header->p_memsz > 0) {
            object->start = start < object->start ? start : object->start;
            object->last = last > object->last ? last : object->last;
        }
    }
}

/* The linker has no path for the program; the vDSO has no file, and section headers behind its segment. */
static int read_functions(struct object *object, const struct dl_phdr_info *info)
{
    uint64_t page = getauxval(AT_PAGESZ);

    if (object->start == getauxval(AT_SYSINFO_EHDR)) {
        return elf_functions_of_image((const void *)(uintptr_t)object->start,
                                      (object->last - object->start + page) & ~(page - 1), &object->elf);
    }
    return elf_functions_of_file(*info->dlpi_name != '\0' ? info->dlpi_name : "/proc/self/exe", object->name,
                                 &object->elf);
}

static struct object *make_object(const struct dl_phdr_info *info)
{
    char program[4096] = "";
    const char *name = info->dlpi_name;
    struct object *object;

    if (*name == '\0') {
        (void)!readlink("/proc/self/exe", program, sizeof program - 1);
        name = program;
    }
    object = calloc(1, sizeof *object + strlen(name) + 1);
    if (object != NULL) {
        object->base = info->dlpi_addr;
        object->headers = info->dlpi_phdr;
        object->header_count = info->dlpi_phnum;
        object->owners = 1;
        (void)strcpy(object->name, name);
        find_extent(object);
    }
    return object;
}

struct object *object_read(const struct dl_phdr_info *info)
{
    struct object *object = make_object(info);

    if (object == NULL || read_functions(object, info) == -ENOMEM) { /* other errors: it has no names */
        free(object);
        return NULL;
    }
    object->count = object->elf.count + 1;
    object->functions = calloc(object->count, sizeof *object->functions);
    if (object->functions == NULL) {
        object_free(object);
        return NULL;
    }
    return object;
}

/* ---- where it is ---- */

/* Whether one executable segment holds all of it. */
static bool is_code(const struct object *object, const struct elf_function *function)
{
    for (unsigned i = 0; i < object->header_count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0 &&
            function->start >= header->p_vaddr && function->last - header->p_vaddr < header->p_memsz) {
            return true;
        }
    }
    return false;
}

static int enter_one(struct object *object, struct rangemap *map, size_t index, const char *name,
                     uint64_t start, uint64_t last)
{
    struct object_function *function = &object->functions[index];

    *function = (struct object_function){name, object, 0, 0};
    return rangemap_store(map, object->base + start, object->base + last, function, NULL, NULL);
}

/* What neither a symbol nor a section names: the last function stands for it. */
static int enter_segments(struct object *object, struct rangemap *map)
{
    int result = 0;

    for (unsigned i = 0; i < object->header_count && result == 0; i++) {
        const ElfW(Phdr) *header = &object->headers[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0 && header->p_memsz > 0) {
            result = enter_one(object, map, object->count - 1, "[code]", header->p_vaddr,
                               header->p_vaddr + header->p_memsz - 1);
        }
    }
    return result;
}

/* The functions in order: those inside others come later, and win. */
static int enter_functions(struct object *object, struct rangemap *map)
{
    int result = enter_segments(object, map);

    for (size_t i = 0; i < object->elf.count && result == 0; i++) {
        const struct elf_function *function = &object->elf.list[i];

        if (function->start <= function->last && is_code(object, function)) {
            result = enter_one(object, map, i, object->elf.names + function->name, function->start,
                               function->last);
        }
    }
    return result;
}

/* Makes the object's place in `map` what `own` has there: the map owns the object once for each range. */
static int copy_functions(const struct object *object, const struct rangemap *own, struct rangemap *map)
{
    struct rangemap_snapshot snapshot;
    int result = rangemap_snapshot_begin(own, &snapshot);

    if (result == 0) {
        result = rangemap_clone(map, &snapshot, object->start, object->last, NULL, NULL);
        rangemap_snapshot_end(&snapshot);
    }
    return result;
}

/* All functions in one step, so that no sample falls between them: they are laid out in a map of their own first. */
int object_enter(struct object *object, struct rangemap *map)
{
    const struct rangemap_options options = {.domain = rangemap_domain_of(map)};
    struct rangemap *own;
    int result = object->start <= object->last ? rangemap_create(&options, &own) : -ENOENT;

    if (result != 0) {
        return result == -ENOENT ? 0 : result; /* nothing of it is mapped */
    }
    result = enter_functions(object, own);
    if (result == 0) {
        result = copy_functions(object, own, map);
    }
    (void)rangemap_destroy(own); /* does not wait: it owns nothing */
    return result;
}

/* ---- counting ---- */

/* Release: who sees the mark sees the count. */
void object_count(struct object_function *function, uint64_t samples)
{
    struct object *object = function->object;

    if (__atomic_load_n(&object->state, __ATOMIC_RELAXED) == OBJECT_STAYS) {
        (void)__atomic_fetch_add(&function->samples, samples, __ATOMIC_RELAXED);
    } else {
        (void)__atomic_fetch_add(&function->in_doubt, samples, __ATOMIC_RELAXED);
        __atomic_store_n(&object->has_doubt, 1, __ATOMIC_RELEASE);
    }
}

/* Sequentially consistent: handlers on other processors see it before the linker unmaps anything. */
void object_doubt(struct object *object)
{
    if (!object->is_permanent && object->state == OBJECT_STAYS) {
        __atomic_store_n(&object->state, OBJECT_MAY_GO, __ATOMIC_SEQ_CST);
    }
}

/* What was counted meanwhile is its own. A handler that is late with its count is heeded next time. */
void object_settle(struct object *object)
{
    if (object->state != OBJECT_MAY_GO) {
        return;
    }
    __atomic_store_n(&object->state, OBJECT_STAYS, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&object->has_doubt, 0, __ATOMIC_ACQUIRE) == 0) {
        return;
    }
    for (size_t i = 0; i < object->count; i++) {
        uint64_t samples = __atomic_exchange_n(&object->functions[i].in_doubt, 0, __ATOMIC_RELAXED);

        (void)__atomic_fetch_add(&object->functions[i].samples, samples, __ATOMIC_RELAXED);
    }
}

void object_visit(const struct object *object, bool is_gone, object_visitor_fn *visitor)
{
    for (size_t i = 0; i < object->count; i++) {
        const struct object_function *function = &object->functions[i];
        uint64_t samples = __atomic_load_n(&function->samples, __ATOMIC_RELAXED);
        uint64_t in_doubt = __atomic_load_n(&function->in_doubt, __ATOMIC_RELAXED);

        if (samples > 0 || in_doubt > 0) {
            visitor(function->name, object->name, samples, in_doubt, is_gone);
        }
    }
}

void object_forget_counts(struct object *object)
{
    for (size_t i = 0; i < object->count; i++) {
        object->functions[i].samples = 0;
        object->functions[i].in_doubt = 0;
    }
}
