// SPDX-License-Identifier: BSD-2-Clause
#include "examples/pcmap/unwind.h"

#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 256, TID = 1 };

/* An object that is mapped. */
struct mapped {
    struct mapped *next;
    uint64_t base, start, last;
    char path[];
};

struct unwind {
    Dwfl *dwfl;
    bool is_current; /* dwfl has been told of all changes of `objects` */
    struct mapped *objects;
    /* Of the sample that is being taken apart. */
    const struct stack_sample *sample;
    bool is_cut;
    unsigned count;
    uint64_t pc[FRAMES]; /* the innermost first */
};

/* ---- objects ---- */

static struct mapped **place_of(struct unwind *unwind, uint64_t start)
{
    struct mapped **place = &unwind->objects;

    while (*place != NULL && (*place)->start != start) {
        place = &(*place)->next;
    }
    return place;
}

void unwind_object(struct unwind *unwind, const struct stack_object *object, bool is_gone)
{
    struct mapped **place = place_of(unwind, object->start), *old = *place, *new;
    const char *path = (const char *)(object + 1);

    unwind->is_current = false;
    if (old != NULL) {
        *place = old->next;
        free(old);
    }
    new = is_gone ? NULL : malloc(sizeof *new + strlen(path) + 1);
    if (new != NULL) {
        *new = (struct mapped){unwind->objects, object->base, object->start, object->last};
        (void)strcpy(new->path, path);
        unwind->objects = new;
    }
}

/* What is loaded, for libdw. Files that are not there any more, or were never any, are left out. */
static void report_objects(struct unwind *unwind)
{
    dwfl_report_begin(unwind->dwfl);
    for (const struct mapped *object = unwind->objects; object != NULL; object = object->next) {
        if (access(object->path, R_OK) == 0) {
            (void)dwfl_report_elf(unwind->dwfl, object->path, object->path, -1, object->base, true);
        }
    }
    (void)dwfl_report_end(unwind->dwfl, NULL, NULL);
}

/* ---- libdw's questions ---- */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **state)
{
    (void)dwfl;
    if (*state != NULL) {
        return 0;
    }
    *state = argument;
    return TID;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *argument, void **state)
{
    (void)dwfl;
    *state = argument;
    return tid == TID;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *argument)
{
    struct unwind *unwind = argument;
    const struct stack_sample *sample = unwind->sample;
    uint64_t offset = address - sample->registers[STACK_POINTER];

    (void)dwfl;
    if (sample->stack_bytes < sizeof *result || offset > sample->stack_bytes - sizeof *result) {
        unwind->is_cut = true;
        return false;
    }
    memcpy(result, (const char *)(sample + 1) + offset, sizeof *result);
    return true;
}

static bool set_registers(Dwfl_Thread *thread, void *argument)
{
    const struct unwind *unwind = argument;

    return dwfl_thread_state_registers(thread, 0, STACK_REGISTERS, unwind->sample->registers);
}

static const Dwfl_Thread_Callbacks questions = {.next_thread = next_thread,
                                                .get_thread = get_thread,
                                                .memory_read = read_memory,
                                                .set_initial_registers = set_registers};

static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .section_address = dwfl_offline_section_address};

static bool renew(struct unwind *unwind)
{
    if (unwind->is_current) {
        return true;
    }
    if (unwind->dwfl != NULL) {
        dwfl_end(unwind->dwfl);
    }
    unwind->dwfl = dwfl_begin(&callbacks);
    if (unwind->dwfl == NULL) {
        return false;
    }
    report_objects(unwind);
    unwind->is_current = dwfl_attach_state(unwind->dwfl, NULL, TID, &questions, unwind);
    return unwind->is_current;
}

/* ---- a sample ---- */

/* A return address may be the first byte behind its function. */
static int note_frame(Dwfl_Frame *frame, void *argument)
{
    struct unwind *unwind = argument;
    bool is_activation;
    Dwarf_Addr pc;

    if (unwind->count == FRAMES || !dwfl_frame_pc(frame, &pc, &is_activation)) {
        return DWARF_CB_ABORT;
    }
    unwind->pc[unwind->count++] = pc - (is_activation ? 0 : 1);
    return DWARF_CB_OK;
}

static const struct mapped *object_at(const struct unwind *unwind, uint64_t pc)
{
    const struct mapped *object = unwind->objects;

    while (object != NULL && !(object->start <= pc && pc <= object->last)) {
        object = object->next;
    }
    return object;
}

static void name_frame(const struct unwind *unwind, uint64_t pc, char *name, size_t size)
{
    Dwfl_Module *module = dwfl_addrmodule(unwind->dwfl, pc);
    const char *symbol = module != NULL ? dwfl_module_addrname(module, pc) : NULL;
    const struct mapped *object = object_at(unwind, pc);

    if (symbol != NULL) {
        (void)snprintf(name, size, "%.*s", (int)strcspn(symbol, "@"), symbol); /* without its version */
    } else if (object != NULL) {
        const char *slash = strrchr(object->path, '/');

        (void)snprintf(name, size, "[%s]+%#" PRIx64, slash != NULL ? slash + 1 : object->path,
                       pc - object->base);
    } else {
        (void)snprintf(name, size, "[unknown]");
    }
}

void unwind_sample(struct unwind *unwind, const struct stack_sample *sample, char *text, size_t size)
{
    size_t used;

    unwind->sample = sample;
    unwind->is_cut = false;
    unwind->count = 0;
    if (renew(unwind)) {
        (void)dwfl_getthread_frames(unwind->dwfl, TID, note_frame, unwind);
    }
    if (unwind->count == 0) {
        unwind->pc[unwind->count++] = sample->registers[STACK_PC];
    }
    used = (size_t)snprintf(text, size, "%s", unwind->is_cut || unwind->count == FRAMES ? "[cut];" : "");
    for (unsigned i = unwind->count; i > 0 && used < size; i--) {
        char name[512];

        name_frame(unwind, unwind->pc[i - 1], name, sizeof name);
        for (char *at = strchr(name, ';'); at != NULL; at = strchr(at, ';')) {
            *at = ':';
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", name, i > 1 ? ";" : "");
    }
}

struct unwind *unwind_new(void)
{
    return calloc(1, sizeof(struct unwind));
}

void unwind_free(struct unwind *unwind)
{
    if (unwind == NULL) {
        return;
    }
    while (unwind->objects != NULL) {
        struct mapped *object = unwind->objects;

        unwind->objects = object->next;
        free(object);
    }
    if (unwind->dwfl != NULL) {
        dwfl_end(unwind->dwfl);
    }
    free(unwind);
}
