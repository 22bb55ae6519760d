// SPDX-License-Identifier: BSD-2-Clause
/*
 * A network card and a disk pin pages by address. The driver is removed: it waits for them, says for whom, and is done
 * when they are. Meanwhile nobody gets a new pin. Exits with 1 if a promise is broken.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/pagemap.h"

enum { PAGES = 512, NIC_PAGES = 64, DISK_PAGES = 3, DISK_FIRST = 200, DELAY_MS = 30 };

#define BASE (UINT64_C(64) << 30)
#define BYTES (UINT64_C(2) << 20)

static uint64_t broken, removed, told_nic, told_disk;

static void promise(bool kept, const char *what)
{
    if (!kept) {
        (void)fprintf(stderr, "broken: %s\n", what);
        (void)__atomic_fetch_add(&broken, 1, __ATOMIC_SEQ_CST);
    }
}

/* What the library tells by itself while somebody waits. */
static void told(const char *message)
{
    (void)printf("%s\n", message);
    if (strstr(message, "1 pin each: nic") != NULL) {
        (void)__atomic_exchange_n(&told_nic, 1, __ATOMIC_SEQ_CST);
    }
    if (strstr(message, "1 reference each: disk") != NULL) {
        (void)__atomic_exchange_n(&told_disk, 1, __ATOMIC_SEQ_CST);
    }
}

struct driver {
    struct dev_pagemap pgmap;
    struct address_space file;
};

static void *remove_driver(void *context)
{
    struct driver *driver = context;

    promise(kill_dev_pagemap(&driver->pgmap) == 0, "the device could not be killed");
    promise(truncate_inode_pages(&driver->file, 0) == 0, "the file could not be emptied");
    promise(memunmap_pages(&driver->pgmap) == 0, "the device could not be unmapped");
    (void)__atomic_exchange_n(&removed, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Adds up what is held, by name. */
struct sums {
    uint64_t nic_pages, disk_pages, others;
};

static void add_up(const struct pagemap_holder *holder, void *context)
{
    struct sums *sums = context;

    if (holder->kind == PAGEMAP_HELD_PAGE && holder->name != NULL && strcmp(holder->name, "nic") == 0) {
        sums->nic_pages += holder->nr_pages;
    } else if (holder->kind == PAGEMAP_HELD_PAGE && holder->name != NULL &&
               strcmp(holder->name, "disk") == 0) {
        sums->disk_pages += holder->nr_pages;
    } else if (holder->kind != PAGEMAP_HELD_BY_FILE) {
        sums->others++;
    }
}

static bool are_held(uint64_t nic_pages, uint64_t disk_pages)
{
    struct sums sums = {0, 0, 0};

    return pagemap_report_holders(BASE, BASE + BYTES - 1, add_up, &sums) >= 0 &&
           sums.nic_pages == nic_pages && sums.disk_pages == disk_pages && sums.others == 0;
}

static void use_and_remove(struct driver *driver, char *view)
{
    struct page *nic[NIC_PAGES], *disk[DISK_PAGES], *late;
    uintptr_t address = (uintptr_t)view;
    pthread_t remover;

    (void)pagemap_set_holder("nic");
    promise(pin_user_pages(address, NIC_PAGES, FOLL_WRITE, nic) == NIC_PAGES, "no pins for the card");
    (void)pagemap_set_holder("disk");
    promise(get_user_pages(address + DISK_FIRST * PAGE_SIZE, DISK_PAGES, 0, disk) == DISK_PAGES,
            "no pages for the disk");
    promise(pin_user_pages(address, 1, FOLL_LONGTERM, &late) == -EOPNOTSUPP,
            "a pin without an end on a file that may be truncated");
    promise(broken == 0 && are_held(NIC_PAGES, DISK_PAGES), "the report does not say what is held");
    if (broken != 0 || pthread_create(&remover, NULL, remove_driver, driver) != 0) {
        promise(false, "nothing to remove");
        return;
    }
    while (__atomic_load_n(&told_nic, __ATOMIC_SEQ_CST) == 0 ||
           __atomic_load_n(&told_disk, __ATOMIC_SEQ_CST) == 0) {
        (void)usleep(1000);
    }
    promise(get_user_pages(address + 400 * PAGE_SIZE, 1, 0, &late) == -EFAULT, "a pin after the kill");
    memset(page_address(nic[0]), 1, PAGE_SIZE);
    unpin_user_pages(nic, NIC_PAGES);
    for (unsigned i = 1; i < DISK_PAGES; i++) {
        put_page(disk[i]);
    }
    promise(are_held(0, 1), "the report does not say what is still held");
    promise(__atomic_load_n(&removed, __ATOMIC_SEQ_CST) == 0, "the driver did not wait for the last page");
    put_page(disk[0]);
    (void)pthread_join(remover, NULL);
    (void)printf("the last page is put: the driver is gone\n");
}

int main(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = BYTES};
    struct range range = {BASE, BASE + BYTES - 1};
    struct driver driver = {.pgmap = {.type = MEMORY_DEVICE_FS_DAX, .nr_range = 1, .range = range}};
    struct pagemap_memory *memory;
    char *view;

    (void)pagemap_set_warn_fn(told);
    (void)pagemap_set_holders_delay(DELAY_MS);
    pagemap_record_holders(true);
    if (pagemap_memory_create(&options, &memory) != 0 || pagemap_memory_plug(memory, BASE) != 0 ||
        IS_ERR(memremap_pages(&driver.pgmap, -1)) || address_space_init(&driver.file, "data", NULL) != 0 ||
        filemap_add_pages(&driver.file, 0, PHYS_PFN(BASE), PAGES) != 0) {
        (void)fprintf(stderr, "the device did not come up\n");
        return 1;
    }
    view = vm_mmap(&driver.file, BYTES, PROT_READ | PROT_WRITE, 0);
    if (IS_ERR(view)) {
        return 1;
    }
    use_and_remove(&driver, view);
    promise(vm_munmap(view, BYTES) == 0 && address_space_destroy(&driver.file) == 0, "the file is in use");
    promise(pagemap_memory_unplug(memory) == 0 && pagemap_memory_destroy(memory) == 0,
            "the memory is in use");
    pagemap_record_holders(false);
    pagemap_barrier();
    return broken == 0 ? 0 : 1;
}
