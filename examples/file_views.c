// SPDX-License-Identifier: BSD-2-Clause
/*
 * A file of device pages and two views of it. Pages are taken away from both: a touch is SIGBUS, write(2) from there
 * says EFAULT, and the data stays, for when they are given back. Truncation waits for a page in use. Done with each
 * mechanism that this machine has. Exits with 1 if a promise is broken.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/pagemap.h"

enum { PAGES = 512, GONE_FIRST = 100, GONE = 50, HELD = 300 };

#define BYTES (UINT64_C(2) << 20)

static uint64_t broken, truncated;

static void promise(bool kept, const char *what)
{
    if (!kept) {
        (void)fprintf(stderr, "broken: %s\n", what);
        broken++;
    }
}

/* ---- touching what may not be there ---- */

static sigjmp_buf back;

static void caught(int signal_number)
{
    siglongjmp(back, signal_number);
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = caught;
    (void)sigaction(SIGBUS, &action, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
}

/* The signal that a load from there raises, or 0. */
static int touch(const volatile char *address)
{
    int signal_number = sigsetjmp(back, 1);

    if (signal_number == 0) {
        (void)*address;
    }
    return signal_number;
}

/* What write(2) says when it is given the address, or 0. */
static int touch_by_kernel(const char *address)
{
    int ends[2], error;

    if (pipe(ends) != 0) {
        return -1;
    }
    error = write(ends[1], address, 1) == 1 ? 0 : errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return error;
}

static bool is_revoked(const char *page)
{
    return touch(page + 1000) == SIGBUS && touch_by_kernel(page) == EFAULT;
}

static bool is_there(const char *page)
{
    return touch(page + 1000) == 0 && touch_by_kernel(page) == 0;
}

/* ---- the file ---- */

struct files {
    struct address_space file;
    char *reader, *writer; /* two views of the same pages */
};

static void revoke_and_restore(struct files *it)
{
    unsigned wrong = 0;

    for (uint64_t i = 0; i < PAGES; i++) {
        memset(it->writer + i * PAGE_SIZE, (int)(i % 200) + 1, PAGE_SIZE);
    }
    unmap_mapping_range(&it->file, GONE_FIRST * PAGE_SIZE, GONE * PAGE_SIZE, 1);
    for (uint64_t i = 0; i < PAGES; i++) {
        bool gone = i >= GONE_FIRST && i < GONE_FIRST + GONE;
        const char *views[2] = {it->reader + i * PAGE_SIZE, it->writer + i * PAGE_SIZE};

        wrong += gone ? !is_revoked(views[0]) || !is_revoked(views[1])
                      : !is_there(views[0]) || !is_there(views[1]);
    }
    promise(wrong == 0, "more or fewer pages were revoked than was asked for");
    promise(map_mapping_range(&it->file, 0, 0) == 0, "pages could not be given back");
    for (uint64_t i = 0; i < PAGES; i++) {
        const char *page = it->reader + i * PAGE_SIZE;

        wrong +=
            !is_there(page) || page[0] != (char)(i % 200 + 1) || memcmp(page, page + 1, PAGE_SIZE - 1) != 0;
    }
    promise(wrong == 0, "the data did not stay");
    (void)printf("revoked %d of %d pages from two views: SIGBUS, EFAULT; given back, with their data\n", GONE,
                 PAGES);
}

static void *truncate_file(void *file)
{
    promise(truncate_inode_pages(file, 0) == 0, "the file could not be truncated");
    (void)__atomic_exchange_n(&truncated, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void truncate_while_held(struct files *it)
{
    struct page *page = find_get_page(&it->file, HELD);
    pthread_t thread;

    (void)__atomic_exchange_n(&truncated, 0, __ATOMIC_SEQ_CST);
    if (page == NULL || pthread_create(&thread, NULL, truncate_file, &it->file) != 0) {
        promise(false, "no page, or no thread");
        return;
    }
    while (!is_revoked(it->reader + (PAGES - 1) * PAGE_SIZE)) {
        (void)usleep(100);
    }
    (void)usleep(10000);
    promise(__atomic_load_n(&truncated, __ATOMIC_SEQ_CST) == 0, "truncation did not wait for a page in use");
    promise(*(char *)page_address(page) == (char)(HELD % 200 + 1), "a page in use changed");
    put_page(page);
    (void)pthread_join(thread, NULL);
    promise(mapping_nr_pages(&it->file) == 0, "pages are still in the file");
    promise(is_revoked(it->writer), "a view of an empty file works");
    (void)printf("truncated: waited for a page in use, and went on when it was put\n");
}

static void try_mechanism(enum pagemap_revocation how)
{
    struct files it;

    if (pagemap_set_revocation(how) != 0) {
        (void)printf("not here: %s\n", pagemap_revocation_report());
        return;
    }
    if (address_space_init(&it.file, "data", NULL) != 0 || filemap_add_pages(&it.file, 0, 0, PAGES) != 0) {
        promise(false, "no file");
        return;
    }
    it.reader = vm_mmap(&it.file, BYTES, PROT_READ, 0);
    it.writer = vm_mmap(&it.file, BYTES, PROT_READ | PROT_WRITE, 0);
    if (IS_ERR(it.reader) || IS_ERR(it.writer)) {
        promise(false, "no views");
        return;
    }
    (void)printf("%s\n", pagemap_revocation_report());
    revoke_and_restore(&it);
    truncate_while_held(&it);
    promise(vm_munmap(it.reader, BYTES) == 0 && vm_munmap(it.writer, BYTES) == 0 &&
                address_space_destroy(&it.file) == 0,
            "the file is still in use");
}

int main(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};
    struct range range = {0, BYTES - 1};
    struct dev_pagemap pgmap = {.type = MEMORY_DEVICE_FS_DAX, .nr_range = 1, .range = range};
    struct pagemap_memory *memory;

    if (pagemap_memory_create(&options, &memory) != 0 || pagemap_memory_plug(memory, 0) != 0 ||
        IS_ERR(memremap_pages(&pgmap, -1))) {
        (void)fprintf(stderr, "the device did not come up\n");
        return 1;
    }
    catch_signals();
    try_mechanism(PAGEMAP_REVOKE_UFFD);
    try_mechanism(PAGEMAP_REVOKE_OVERLAY);
    promise(memunmap_pages(&pgmap) == 0 && pagemap_memory_unplug(memory) == 0 &&
                pagemap_memory_destroy(memory) == 0,
            "the memory is still in use");
    pagemap_barrier();
    return broken == 0 ? 0 : 1;
}
