// SPDX-License-Identifier: BSD-2-Clause
/* drivers/pci/p2pdma.c: memory of a device's BAR for its peers, whose lifetime is dev_pagemap::ref. */
#include <linux/delay.h>
#include <linux/pci-p2pdma.h>

#include "test/pagemap/kernel/rig.h"

#define BAR_START (8 * RIG_GB)
#define BAR_BYTES (16 * RIG_MB)
#define BUS_OFFSET (1 * RIG_GB)

static struct pci_bus *root, *below;
static struct pci_dev *provider, *client, *bridge;
static struct pagemap_memory *memory;

static struct pci_dev *make(struct pci_bus *bus, unsigned devfn, unsigned short vendor)
{
    struct pci_dev *pdev = pagemap_compat_pci_device(bus, devfn, vendor, 0x2030);

    REQUIRE_NE(pdev, NULL);
    return pdev;
}

static void set_bar(struct pci_dev *pdev)
{
    pdev->resource[0] =
        (struct resource){.start = BAR_START, .end = BAR_START + BAR_BYTES - 1, .flags = IORESOURCE_MEM};
    pdev->pm_bus_offset = BUS_OFFSET;
}

/* A root port, and below it a bridge with the provider and a client. */
static void set_up(void)
{
    struct pci_dev *port;

    kernel_set_up();
    memory = rig_plug(BAR_START, BAR_BYTES);
    root = pagemap_compat_pci_root(0);
    port = make(root, PCI_DEVFN(0, 0), 0x8086);
    port->pcie_type = PCI_EXP_TYPE_ROOT_PORT;
    REQUIRE_EQ(pagemap_compat_pci_add(port), 0);
    bridge = port;
    below = pagemap_compat_pci_bus(port, 1);
    provider = make(below, PCI_DEVFN(0, 0), 0x1af4);
    set_bar(provider);
    client = make(below, PCI_DEVFN(1, 0), 0x15b3);
    REQUIRE_EQ(pagemap_compat_pci_add(provider), 0);
    REQUIRE_EQ(pagemap_compat_pci_add(client), 0);
}

static void tear_down(void)
{
    pagemap_compat_pci_remove(client);
    pagemap_compat_pci_remove(provider);
    pagemap_compat_pci_end(below);
    pagemap_compat_pci_remove(bridge);
    pagemap_compat_pci_end(root);
    rig_unplug(memory);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
}

/* What unbinding the provider's driver does. */
static void remove_provider(void)
{
    (void)devres_release_all(&provider->dev);
}

static size_t shown(const char *attribute)
{
    char text[PAGE_SIZE];

    REQUIRE_GT(pagemap_compat_show(&provider->dev, attribute, text), 0);
    return strtoul(text, NULL, 10);
}

TEST_CASE(p2pdma, arguments)
{
    set_up();
    CHECK_EQ(pci_p2pdma_add_resource(provider, 1, 0, 0), -EINVAL, "no such BAR");
    CHECK_EQ(pci_p2pdma_add_resource(provider, 0, 0, BAR_BYTES), -EINVAL, "offset");
    CHECK_EQ(pci_p2pdma_add_resource(provider, 0, BAR_BYTES, 4096), -EINVAL, "length");
    CHECK_EQ(pci_alloc_p2pmem(provider, 4096), NULL);
    CHECK_EQ(pci_p2pdma_add_resource(provider, 0, 0, 0), 0);
    CHECK_EQ(PTR_ERR_OR_ZERO(ERR_PTR(pci_p2pdma_add_resource(provider, 0, 0, 0))), -ENOMEM,
             "it is mapped already");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(shown("p2pmem/size"), BAR_BYTES);
    remove_provider();
    CHECK(kernel_is_free(BAR_START, BAR_BYTES));
    tear_down();
}

TEST_CASE(p2pdma, memory_is_handed_out_and_mapped)
{
    struct pci_p2pdma_map_state state = {0};
    struct device *clients[1];
    struct pci_dev *found;
    struct scatterlist *list;
    struct dev_pagemap *pgmap;
    unsigned n;
    void *address;

    set_up();
    clients[0] = &client->dev;
    REQUIRE_EQ(pci_p2pdma_add_resource(provider, 0, 0, 0), 0);
    pci_p2pmem_publish(provider, true);
    CHECK(pci_has_p2pmem(provider));
    CHECK_EQ(pci_p2pdma_distance_many(provider, clients, 1, true), 2, "by way of the port");
    found = pci_p2pmem_find_many(clients, 1);
    CHECK_EQ(found, provider);
    pci_dev_put(found);

    address = pci_alloc_p2pmem(provider, 3 * PAGE_SIZE);
    REQUIRE_NE(address, NULL);
    memset(address, 7, 3 * PAGE_SIZE);
    CHECK_EQ(pci_p2pmem_virt_to_bus(provider, address) - BUS_OFFSET, virt_to_phys(address));
    CHECK(is_pci_p2pdma_page(virt_to_page(address)), "though nobody grabbed it");
    pgmap = virt_to_page(address)->pgmap;
    CHECK_EQ(pgmap_nr_references(pgmap), 1, "the driver's reference");
    CHECK_EQ(shown("p2pmem/available"), BAR_BYTES - 3 * PAGE_SIZE);

    list = pci_p2pmem_alloc_sgl(provider, &n, PAGE_SIZE);
    REQUIRE_NE(list, NULL);
    CHECK_EQ(pci_p2pdma_map_segment(&state, &client->dev, list), PCI_P2PDMA_MAP_BUS_ADDR);
    CHECK_EQ(state.pgmap, pgmap);
    CHECK_EQ(sg_dma_address(list), sg_phys(list) - BUS_OFFSET + 2 * BUS_OFFSET);
    pci_p2pmem_free_sgl(provider, list);
    pci_free_p2pmem(provider, address, 3 * PAGE_SIZE);
    CHECK_EQ(pgmap_nr_references(pgmap), 0);
    CHECK_EQ(shown("p2pmem/available"), BAR_BYTES);
    remove_provider();
    tear_down();
}

static int add_and_use(void)
{
    int error = pci_p2pdma_add_resource(provider, 0, 0, 0);
    void *address = error == 0 ? pci_alloc_p2pmem(provider, PAGE_SIZE) : NULL;

    if (address != NULL) {
        pci_free_p2pmem(provider, address, PAGE_SIZE);
    }
    CHECK(error == 0 || rig_finds(PHYS_PFN(BAR_START), NULL), "nothing is left of a mapping that failed");
    remove_provider();
    CHECK(kernel_is_free(BAR_START, BAR_BYTES));
    return error;
}

/*
 * 6.1's pci_p2pdma_setup() frees the pool twice if its own action cannot be added: the steps before and after that
 * one are taken. (Bug 11 and its like.)
 */
TEST_CASE(p2pdma, adding_fails_half_way)
{
    unsigned failed = 0;

    set_up();
    REQUIRE_EQ(add_and_use(), 0);
    for (unsigned step = 1; step < 100; step++) {
        int error;

        (void)pagemap_compat_fail_after(step);
        error = step == 3 ? 0 : add_and_use();
        if (pagemap_compat_fail_after(0) > 0 && step != 3) {
            CHECK_EQ(error, 0);
            break;
        }
        failed += error != 0;
    }
    CHECK_GE(failed, 3);
    CHECK_EQ(warnings_take(), 0);
    tear_down();
}

static uint64_t granted, refused, stop;

/* Allocates until the memory is gone, as a peer does that does not know of the removal. */
static void *use(void *number)
{
    while (__atomic_load_n(&stop, __ATOMIC_SEQ_CST) == 0) {
        void *address = pci_alloc_p2pmem(provider, PAGE_SIZE);

        if (address == NULL) {
            (void)__atomic_fetch_add(&refused, 1, __ATOMIC_SEQ_CST);
            continue;
        }
        *(uint64_t *)address = (uintptr_t)number;
        CHECK_EQ(*(uint64_t *)address, (uintptr_t)number);
        (void)__atomic_fetch_add(&granted, 1, __ATOMIC_SEQ_CST);
        pci_free_p2pmem(provider, address, PAGE_SIZE);
    }
    return NULL;
}

static void *unbind_and_bind(void *number)
{
    for (unsigned round = 0; round < 20; round++) {
        uint64_t before = __atomic_load_n(&granted, __ATOMIC_SEQ_CST);

        while (__atomic_load_n(&granted, __ATOMIC_SEQ_CST) < before + 50) {
            (void)sched_yield();
        }
        (void)number;
        REQUIRE_NE(get_device(&provider->dev), NULL);
        put_device(&provider->dev);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *use_or_bind(void *number)
{
    return number == (void *)0 ? unbind_and_bind(number) : use(number);
}

TEST_CASE(p2pdma, four_threads_share_a_pool)
{
    struct dev_pagemap *pgmap;

    set_up();
    REQUIRE_EQ(pci_p2pdma_add_resource(provider, 0, 0, 0), 0);
    pgmap = pfn_to_page(PHYS_PFN(BAR_START))->pgmap;
    stop = granted = 0;
    kernel_run(use_or_bind);
    CHECK_EQ(pgmap_nr_references(pgmap), 0);
    CHECK_EQ(shown("p2pmem/available"), BAR_BYTES);
    remove_provider();
    tear_down();
}

static void *held;

/* What a holder asks, as sg_set_buf() does, while a removal that has begun waits for it. */
static void check_held(phys_addr_t address)
{
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(virt_to_phys(held), address);
        CHECK_EQ(virt_to_page(held), phys_to_page(address));
        CHECK_EQ(phys_to_virt(address), held);
        CHECK(pfn_valid(PHYS_PFN(address)));
        msleep(1);
    }
}

static void *free_later(void *unused)
{
    phys_addr_t address = virt_to_phys(held);

    (void)unused;
    rig_await_kill(PHYS_PFN(BAR_START));
    CHECK_EQ(pci_alloc_p2pmem(provider, PAGE_SIZE), NULL, "dying: what the pool gave went back");
    check_held(address);
    pci_free_p2pmem(provider, held, PAGE_SIZE);
    return NULL;
}

TEST_CASE(p2pdma, removal_waits_for_what_is_handed_out)
{
    pthread_t thread;

    set_up();
    for (unsigned round = 0; round < 5; round++) {
        REQUIRE_EQ(pci_p2pdma_add_resource(provider, 0, 0, 0), 0, "bound again");
        held = pci_alloc_p2pmem(provider, PAGE_SIZE);
        REQUIRE_NE(held, NULL);
        REQUIRE_EQ(pthread_create(&thread, NULL, free_later, NULL), 0);
        remove_provider(); /* returns when the thread has freed it */
        (void)pthread_join(thread, NULL);
        CHECK(kernel_is_free(BAR_START, BAR_BYTES));
        CHECK_EQ(virt_to_page(held), NULL, "nothing is left of it");
    }
    tear_down();
}
