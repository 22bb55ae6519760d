// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/check.h"

#include <string.h>
#include <sys/mman.h>

#include "examples/preload/text.h"
#include "examples/vmwatch/follow.h"
#include "examples/vmwatch/note.h"
#include "examples/vmwatch/patch.h"
#include "examples/vmwatch/reader.h"
#include "examples/vmwatch/region.h"
#include "examples/vmwatch/space.h"

/* A range of one side or the other. */
struct piece {
    uint64_t start, last;
    uint64_t origin, inode;
    uint32_t device;
    uint8_t prot;
    bool shared, grows_down;
    char name[256];
};

struct comparison {
    struct text text;
    struct kernel_maps *maps;
    struct rangemap_cursor cursor;
    struct piece ours, kernels;
    bool has_ours, has_kernels;
    uint64_t our_ranges, kernel_ranges; /* as they come */
    uint64_t bytes;                     /* on which both agree */
    uint64_t differ, explained;         /* stretches */
};

/* ---- the two sides ---- */

static void next_of_ours(struct comparison *comparison)
{
    struct piece *piece = &comparison->ours;
    struct rangemap_entry entry;
    const struct region *region;

    comparison->has_ours = rangemap_cursor_next(&comparison->cursor, &entry) == 0;
    if (!comparison->has_ours) {
        return;
    }
    region = entry.value;
    comparison->our_ranges++;
    *piece = (struct piece){.start = entry.start,
                            .last = entry.last,
                            .origin = region->origin,
                            .inode = region->inode,
                            .device = region->device,
                            .prot = region->prot,
                            .shared = region->shared,
                            .grows_down = region->grows_down};
    strncpy(piece->name, region->name, sizeof piece->name - 1);
}

static void next_of_kernel(struct comparison *comparison)
{
    struct piece *piece = &comparison->kernels;
    struct kernel_range range;

    comparison->has_kernels = kernel_maps_next(comparison->maps, &range);
    if (!comparison->has_kernels) {
        return;
    }
    comparison->kernel_ranges++;
    *piece = (struct piece){.start = range.start,
                            .last = range.last,
                            .origin = range.start - range.offset,
                            .inode = range.inode,
                            .device = range.device,
                            .prot = range.prot,
                            .shared = range.shared};
    memcpy(piece->name, range.name, sizeof piece->name);
}

/* ---- one stretch that neither side divides ---- */

static bool is_same_file(const struct piece *ours, const struct piece *kernels)
{
    if (ours->inode == 0) {
        /* Shared anonymous memory is a nameless file to the kernel. */
        return kernels->inode == 0 || (ours->shared && strncmp(kernels->name, "/dev/zero", 9) == 0);
    }
    return ours->inode == kernels->inode && ours->origin == kernels->origin;
}

/* NULL if both agree, else why not; "" if that is not known. */
static const char *judge(const struct comparison *comparison, uint64_t last, const struct piece *ours,
                         const struct piece *kernels)
{
    if (ours == NULL) {
        bool is_below_stack =
            comparison->has_ours && comparison->ours.grows_down && comparison->ours.start == last + 1;

        return is_below_stack ? "the stack grew by itself" : "";
    }
    if (kernels == NULL || ours->prot != kernels->prot || ours->shared != kernels->shared ||
        !is_same_file(ours, kernels)) {
        return "";
    }
    if (ours->inode != 0 && ours->device != kernels->device) {
        return "fstat and /proc/self/maps give the file different devices";
    }
    return NULL;
}

static void describe(struct text *text, const struct piece *piece)
{
    char protection[] = "----";

    if (piece == NULL) {
        text_add(text, "nothing");
        return;
    }
    protection[0] = (piece->prot & PROT_READ) != 0 ? 'r' : '-';
    protection[1] = (piece->prot & PROT_WRITE) != 0 ? 'w' : '-';
    protection[2] = (piece->prot & PROT_EXEC) != 0 ? 'x' : '-';
    protection[3] = piece->shared ? 's' : 'p';
    text_add(text, protection);
    text_add(text, " inode ");
    text_number(text, piece->inode, 10);
    text_add(text, " ");
    text_add(text, piece->name);
}

static void compare_stretch(struct comparison *comparison, uint64_t start, uint64_t last,
                            const struct piece *ours, const struct piece *kernels)
{
    const char *why = judge(comparison, last, ours, kernels);
    struct text *text = &comparison->text;

    if (why == NULL) {
        comparison->bytes += last - start + 1;
        return;
    }
    comparison->differ += *why == '\0';
    comparison->explained += *why != '\0';
    text_add(text, *why == '\0' ? "differs " : "explained ");
    text_number(text, start, 16);
    text_add(text, "-");
    text_number(text, last, 16);
    text_add(text, " map: ");
    describe(text, ours);
    text_add(text, " | kernel: ");
    describe(text, kernels);
    text_add(text, *why == '\0' ? "" : " | ");
    text_add(text, why);
    text_add(text, "\n");
}

/* ---- the sweep over both ---- */

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The end of the stretch from `start` on, as far as this side goes. */
static uint64_t limit(bool has, const struct piece *piece, uint64_t start, bool *holds)
{
    *holds = has && piece->start <= start;
    if (!has) {
        return UINT64_MAX;
    }
    return *holds ? piece->last : piece->start - 1;
}

static void sweep(struct comparison *comparison)
{
    uint64_t start = 0, last = 0;

    next_of_ours(comparison);
    next_of_kernel(comparison);
    while ((comparison->has_ours || comparison->has_kernels) && last != UINT64_MAX) {
        bool ours, kernels;

        last = lower(limit(comparison->has_ours, &comparison->ours, start, &ours),
                     limit(comparison->has_kernels, &comparison->kernels, start, &kernels));
        if (ours || kernels) {
            compare_stretch(comparison, start, last, ours ? &comparison->ours : NULL,
                            kernels ? &comparison->kernels : NULL);
        }
        if (ours && comparison->ours.last == last) {
            next_of_ours(comparison);
        }
        if (kernels && comparison->kernels.last == last) {
            next_of_kernel(comparison);
        }
        start = last + 1;
    }
}

/* ---- the report ---- */

static void add_field(struct text *text, const char *name, uint64_t number)
{
    text_add(text, name);
    text_number(text, number, 10);
}

static void add_calls(struct text *text)
{
    static const char *const names[] = {
        "mmap",  "munmap", "mprotect",         "pkey_mprotect", "mremap",     "brk",
        "shmat", "shmdt",  "remap_file_pages", "io_setup",      "io_destroy", "map_shadow_stack"};

    text_add(text, "calls");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t count = __atomic_load_n(&follow_calls[i], __ATOMIC_RELAXED);

        if (count > 0) {
            text_add(text, " ");
            text_add(text, names[i]);
            add_field(text, " ", count);
        }
    }
    add_field(text, " redirected at ", patch_sites);
    text_add(text, " places\n");
}

/* What the library does not see comes from code with system call instructions of its own, if there is such code. */
static void add_hints(struct comparison *comparison, const struct rangemap_snapshot *snapshot)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;

    (void)rangemap_cursor_init_at(&cursor, snapshot, 0, UINT64_MAX);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        const struct region *region = entry.value;
        uint64_t here = (uint64_t)(uintptr_t)&check_run; /* this library's own are entered */

        if (region->inode != 0 && !(entry.start <= here && here <= entry.last) &&
            (region->prot & (PROT_READ | PROT_EXEC)) == (PROT_READ | PROT_EXEC) &&
            !patch_covers(entry.start) &&
            patch_has_calls((const uint8_t *)entry.start, entry.last - entry.start)) {
            text_add(&comparison->text, "hint ");
            text_add(&comparison->text, region->name);
            text_add(&comparison->text, " makes system calls of its own, which are not seen\n");
        }
    }
}

static void compare(struct comparison *comparison)
{
    struct rangemap_snapshot snapshot;

    if (rangemap_snapshot_begin(space_map, &snapshot) != 0) {
        space_lose();
        return;
    }
    (void)rangemap_cursor_init_at(&comparison->cursor, &snapshot, 0, UINT64_MAX);
    sweep(comparison);
    if (comparison->differ > 0) {
        add_hints(comparison, &snapshot);
    }
    rangemap_snapshot_end(&snapshot);
}

void check_run(struct slot *slot)
{
    static struct comparison comparison; /* too large for any thread's stack; one at a time */

    /* What an earlier comparison found is not written over. */
    comparison.text = (struct text){.fd = -1,
                                    .used = slot->differed > 0 ? slot->used : 0,
                                    .size = sizeof slot->text,
                                    .buffer = slot->text};
    comparison.our_ranges = comparison.kernel_ranges = comparison.bytes = 0;
    comparison.differ = comparison.explained = 0;
    add_calls(&comparison.text);
    comparison.maps = reader_open();
    slot->is_compared = comparison.maps != NULL && !comparison.maps->failed;
    if (slot->is_compared != 0) {
        compare(&comparison);
        slot->is_compared = reader_close(comparison.maps);
    }
    if (slot->is_compared == 0) {
        note_reason("/proc/self/maps cannot be read");
    }
    slot->used = (uint32_t)comparison.text.used;
    slot->is_cut |= comparison.text.cut;
    slot->result = (struct slot_result){.differ = comparison.differ,
                                        .explained = comparison.explained,
                                        .lost = __atomic_load_n(&space_lost, __ATOMIC_RELAXED),
                                        .ranges = comparison.our_ranges,
                                        .kernel_ranges = comparison.kernel_ranges,
                                        .kib = comparison.bytes / 1024};
}
