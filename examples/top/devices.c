// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program with devices to look at. It prints "done" when it is ready, and for each command that it has read from
 * its input:
 *   pin, unpin  16 pages
 *   revoke      a page of a view
 *   refuse      asks for a page that is not there
 *   kill        a thread tears the second device down, which waits for a reference
 *   release     that reference
 * and ends with its input.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "examples/top/publish_pagemap.h"
#include "pagemap/pagemap.h"

enum { PAGES = 16 };

#define MIB (UINT64_C(1) << 20)

static struct dev_pagemap first = {
    .type = MEMORY_DEVICE_GENERIC, .nr_range = 1, .range = {0x1000000000, 0x1000000000 + 4 * MIB - 1}};
static struct dev_pagemap second = {
    .type = MEMORY_DEVICE_FS_DAX, .nr_range = 1, .range = {0x1000800000, 0x1000800000 + 2 * MIB - 1}};
static struct address_space file;
static struct page *pages[PAGES];
static char *view;
static pthread_t teardown;

static void require(long result, const char *what)
{
    if (result < 0) {
        (void)fprintf(stderr, "devices: %s: %s\n", what, strerror((int)-result));
        exit(1);
    }
}

static void make_devices(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = 16 * MIB};
    struct pagemap_memory *memory = NULL;

    require(pagemap_memory_create(&options, &memory), "memory");
    require(pagemap_memory_plug(memory, first.range.start), "plug");
    require(IS_ERR(memremap_pages(&first, -1)) ? -ENOMEM : 0, "map");
    require(IS_ERR(memremap_pages(&second, -1)) ? -ENOMEM : 0, "map");
    require(get_dev_pagemap(PHYS_PFN(second.range.start), NULL) == &second ? 0 : -ENXIO, "get");
    require(address_space_init(&file, "file", NULL), "file");
    require(filemap_add_pages(&file, 0, PHYS_PFN(first.range.start), PAGES), "add");
    view = vm_mmap(&file, (PAGES + 1) * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    require(IS_ERR(view) ? PTR_ERR(view) : 0, "view");
}

static void *tear_down(void *unused)
{
    (void)unused;
    require(memunmap_pages(&second), "unmap");
    return NULL;
}

static void run(const char *command)
{
    struct page *none;

    if (strcmp(command, "pin\n") == 0) {
        require(pin_user_pages((uintptr_t)view, PAGES, FOLL_WRITE, pages) == PAGES ? 0 : -EFAULT, "pin");
    } else if (strcmp(command, "unpin\n") == 0) {
        unpin_user_pages(pages, PAGES);
    } else if (strcmp(command, "revoke\n") == 0) {
        unmap_mapping_pages(&file, 3, 1, false);
    } else if (strcmp(command, "refuse\n") == 0) {
        require(get_user_pages((uintptr_t)view + PAGES * PAGE_SIZE, 1, 0, &none) == -EFAULT ? 0 : -EIO,
                "refuse");
    } else if (strcmp(command, "kill\n") == 0) {
        (void)pagemap_set_holders_delay(0);
        require(-pthread_create(&teardown, NULL, tear_down, NULL), "thread");
    } else if (strcmp(command, "release\n") == 0) {
        put_dev_pagemap(&second);
        require(-pthread_join(teardown, NULL), "join");
    } else {
        require(-EINVAL, command);
    }
}

static void say_done(void)
{
    (void)printf("done\n");
    (void)fflush(stdout);
}

int main(void)
{
    char command[16];

    make_devices();
    require(top_publish_pagemap(), "publish");
    require(top_publish_pagemap() == -EEXIST ? 0 : -EIO, "publish twice");
    say_done();
    while (fgets(command, sizeof command, stdin) != NULL) {
        run(command);
        say_done();
    }
    return 0;
}
