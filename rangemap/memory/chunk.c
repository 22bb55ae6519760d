// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* MADV_HUGEPAGE and the like */
#include "rangemap/memory/chunk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "rangemap/base/cancel.h"
#include "rangemap/base/sanitizer.h"
#include "rangemap/base/system.h"

/* Maps too much and trims both ends to the alignment. */
static void *mmap_alloc(size_t bytes, size_t alignment, void *context)
{
    char *wide = rm_pages_map(bytes + alignment, false);
    char *chunk;
    size_t before, after;

    (void)context;
    if (wide == NULL) {
        return NULL;
    }
    before = (size_t)(-(uintptr_t)wide & (alignment - 1));
    after = alignment - before;
    chunk = wide + before;
    if (before > 0) {
        (void)rm_pages_unmap(wide, before);
    }
    if (after > 0) {
        (void)rm_pages_unmap(chunk + bytes, after);
    }
    if (bytes >= RM_CHUNK_MAX_BYTES) {
        /* One fault and one TLB entry instead of 512; a refusal changes nothing but speed. */
        (void)rm_pages_advise(chunk, bytes, MADV_HUGEPAGE);
    }
    return chunk;
}

static void mmap_free(void *chunk, size_t bytes, void *context)
{
    (void)context;
    (void)rm_pages_unmap(chunk, bytes);
}

const struct rangemap_chunk_allocator rm_chunk_mmap = {mmap_alloc, mmap_free, NULL};

/* Whether no address in it has a bit that slots use for something else. */
static bool is_addressable(const void *chunk, size_t bytes)
{
    uint64_t last = (uint64_t)(uintptr_t)chunk + (bytes - 1);

    return last >> RM_ADDRESS_BITS == 0;
}

static void *call_alloc(const struct rangemap_chunk_allocator *allocator, size_t bytes, size_t alignment)
{
    int before = rm_cancel_hold();
    void *chunk = allocator->alloc(bytes, alignment, allocator->context);

    rm_cancel_let_through(before);
    return chunk;
}

static void call_free(const struct rangemap_chunk_allocator *allocator, void *chunk, size_t bytes)
{
    int before = rm_cancel_hold();

    allocator->free(chunk, bytes, allocator->context);
    rm_cancel_let_through(before);
}

void *rm_chunk_alloc(const struct rangemap_chunk_allocator *allocator, size_t bytes)
{
    size_t alignment = bytes < RM_CHUNK_MAX_BYTES ? RM_CHUNK_MIN_BYTES : RM_CHUNK_MAX_BYTES;
    void *chunk = call_alloc(allocator, bytes, alignment);

    if (chunk != NULL && !is_addressable(chunk, bytes)) {
        call_free(allocator, chunk, bytes);
        return NULL;
    }
    if (chunk != NULL) {
        rm_leak_root_add(chunk, bytes);
        rm_poison(chunk, bytes);
    }
    return chunk;
}

bool rm_chunk_try_free(const struct rangemap_chunk_allocator *allocator, void *chunk, size_t bytes)
{
    rm_unpoison(chunk, bytes);
    rm_leak_root_remove(chunk, bytes);
    if (!rm_chunk_is_mapped(allocator)) {
        call_free(allocator, chunk, bytes);
    } else if (!rm_pages_unmap(chunk, bytes)) {
        rm_leak_root_add(chunk, bytes);
        rm_poison(chunk, bytes);
        return false;
    }
    return true;
}

void rm_chunk_free(const struct rangemap_chunk_allocator *allocator, void *chunk, size_t bytes)
{
    if (!rm_chunk_try_free(allocator, chunk, bytes)) {
        (void)rm_chunk_discard(chunk, bytes);
    }
}

bool rm_chunk_discard(void *pages, size_t bytes)
{
    return rm_pages_advise(pages, bytes, MADV_DONTNEED);
}

bool rm_chunk_is_plausible(const struct rangemap_chunk_allocator *allocator, size_t bytes)
{
    void *pages;

    if (!rm_chunk_is_mapped(allocator)) {
        return true; /* it refuses by itself */
    }
    pages = rm_pages_map(bytes, true);
    if (pages != NULL) {
        (void)rm_pages_unmap(pages, bytes);
    }
    return pages != NULL;
}
