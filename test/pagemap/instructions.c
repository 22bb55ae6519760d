// SPDX-License-Identifier: BSD-2-Clause
/*
 * Does one thing, in measured(), whose instructions callgrind counts (instructions_test.sh):
 *
 *     instructions pin|unpin PAGES_A_RUN   of 512 pages
 *     instructions get                     and put, 1,000 times
 *     instructions truncate RUNS           of a page each, shown in a view
 *     instructions revoke VIEWS            one page that all of them show, and is the only one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pagemap/pagemap.h"

enum { PAGES = 512, DEVICE_PAGES = 32768, PAIRS = 1000 };

static struct dev_pagemap pgmap;
static struct address_space file;
static struct page *pages[PAGES];
static char *view;

static void require(long result, const char *what)
{
    if (result < 0) {
        (void)fprintf(stderr, "instructions: %s: %s\n", what, strerror((int)-result));
        exit(1);
    }
}

static void pin(void)
{
    require(pin_user_pages((uintptr_t)view, PAGES, FOLL_WRITE, pages) == PAGES ? 0 : -1, "pin");
}

static void unpin(void)
{
    unpin_user_pages(pages, PAGES);
}

static void get_and_put(void)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        put_dev_pagemap(get_dev_pagemap(i, NULL));
    }
}

static void truncate_all(void)
{
    require(truncate_inode_pages(&file, 0), "truncation");
}

static void revoke(void)
{
    unmap_mapping_pages(&file, 0, 1, false);
}

void measured(void (*call)(void));

/* By this name, and not part of another function. */
__attribute__((noinline)) void measured(void (*call)(void))
{
    call();
    __asm__ volatile("");
}

/* `count` pages in runs of `run`, no two runs neighbours in the device; a view of all. */
static void fill(uint64_t count, uint64_t run)
{
    for (uint64_t at = 0; at < count; at += run) {
        require(filemap_add_pages(&file, at, at * 2, run), "add");
    }
    view = vm_mmap(&file, count * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    require(IS_ERR(view) ? PTR_ERR(view) : 0, "map");
}

static void set_up(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = DEVICE_PAGES * PAGE_SIZE};
    struct pagemap_memory *memory = NULL;
    void *linear;

    require(pagemap_memory_create(&options, &memory), "memory");
    require(pagemap_memory_plug(memory, 0), "plug");
    pgmap = (struct dev_pagemap){
        .type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = {0, DEVICE_PAGES * PAGE_SIZE - 1}};
    linear = memremap_pages(&pgmap, -1);
    require(IS_ERR(linear) ? PTR_ERR(linear) : 0, "map");
    require(address_space_init(&file, "file", NULL), "file");
}

static void run(const char *what, uint64_t number)
{
    if (strcmp(what, "get") == 0) {
        get_and_put();
        measured(get_and_put);
    } else if (strcmp(what, "truncate") == 0) {
        fill(number, 1);
        measured(truncate_all);
    } else if (strcmp(what, "revoke") == 0) {
        require(filemap_add_pages(&file, 0, 0, 1), "add");
        for (uint64_t i = 0; i < number; i++) {
            require(IS_ERR(vm_mmap(&file, PAGE_SIZE, PROT_READ, 0)) ? -1 : 0, "map");
        }
        measured(revoke);
    } else {
        fill(PAGES, number);
        pin(); /* so that each page was grabbed before */
        unpin();
        if (strcmp(what, "pin") == 0) {
            measured(pin);
        } else {
            pin();
            measured(unpin);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        return 2;
    }
    set_up();
    run(argv[1], argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
    (void)printf("%s\n", pagemap_revocation_report());
    return 0;
}
