// SPDX-License-Identifier: BSD-2-Clause
/* What waits must not do so with a lock of the driver's, nor for threads that have nothing to do with it. */
#include <linux/completion.h>
#include <linux/dax.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "test/pagemap/kernel/rig.h"

/* ---- a file system that lets pins of its pages go ---- */

static struct address_space dax_file;
static struct inode dax_inode_of_file = {.i_flags = S_DAX, .i_mapping = &dax_file};
static DEFINE_MUTEX(layout_lock);
static struct page *pinned;
static unsigned waits;

/* As ext4_wait_dax_page(). */
static void wait_dax_page(struct inode *inode)
{
    CHECK_EQ(inode, &dax_inode_of_file);
    waits++;
    mutex_unlock(&layout_lock);
    schedule();
    mutex_lock(&layout_lock);
}

/* As a holder that writes to the file before it unpins. */
static void *unpin_under_lock(void *unused)
{
    (void)unused;
    mutex_lock(&layout_lock);
    put_page(pinned);
    mutex_unlock(&layout_lock);
    return NULL;
}

static void break_beside_holder(int (*wait)(void))
{
    pthread_t thread;

    pinned = pagemap_get_page(PHYS_PFN(RIG_GB) + 1);
    REQUIRE_NE(pinned, NULL);
    waits = 0;
    mutex_lock(&layout_lock);
    REQUIRE_EQ(pthread_create(&thread, NULL, unpin_under_lock, NULL), 0);
    CHECK_EQ(wait(), 0);
    mutex_unlock(&layout_lock);
    CHECK_GE(waits, 1);
    (void)pthread_join(thread, NULL);
    CHECK(dax_page_is_idle(pinned));
}

static int break_all(void)
{
    return dax_break_layout(&dax_inode_of_file, 0, LLONG_MAX, wait_dax_page);
}

/* Before 6.15 each file system has this itself. */
static int wait_for_page(void)
{
    return (int)___wait_var_event(pinned, page_ref_count(pinned) == 0, TASK_INTERRUPTIBLE, 0, 0,
                                  wait_dax_page(&dax_inode_of_file));
}

TEST_CASE(waiting, layouts_are_broken_without_the_lock)
{
    struct pagemap_memory *memory = rig_plug(RIG_GB, 4 * RIG_MB);
    struct range range = rig_range(RIG_GB, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);

    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(address_space_init(&dax_file, "dax", &dax_inode_of_file), 0);
    REQUIRE_EQ(filemap_add_pages(&dax_file, 0, PHYS_PFN(RIG_GB), 4), 0);
    break_beside_holder(wait_for_page);
    CHECK_EQ(mapping_nr_pages(&dax_file), 4);
    break_beside_holder(break_all);
    CHECK_EQ(mapping_nr_pages(&dax_file), 0);
    CHECK_EQ(break_all(), 0, "nothing is busy");

    REQUIRE_EQ(filemap_add_pages(&dax_file, 0, PHYS_PFN(RIG_GB), 4), 0);
    pinned = pagemap_get_page(PHYS_PFN(RIG_GB) + 1);
    REQUIRE_NE(pinned, NULL);
    CHECK_EQ(dax_break_layout(&dax_inode_of_file, 0, LLONG_MAX, NULL), -ERESTARTSYS);
    CHECK_EQ(mapping_nr_pages(&dax_file), 4);
    CHECK_EQ(dax_break_layout(&dax_inode_of_file, 2 * PAGE_SIZE + 1, 2 * PAGE_SIZE + 2, NULL), 0,
             "another page");
    CHECK_EQ(mapping_nr_pages(&dax_file), 3);
    CHECK_EQ(page_index(pfn_to_page(PHYS_PFN(RIG_GB) + 2)), UINT64_MAX, "the one that has the bytes");
    dax_inode_of_file.i_flags = 0;
    CHECK_EQ(dax_break_layout_inode(&dax_inode_of_file, NULL), 0, "no file of this kind");
    put_page(pinned);
    dax_break_layout_final(&dax_inode_of_file);
    CHECK_EQ(mapping_nr_pages(&dax_file), 3);
    dax_inode_of_file.i_flags = S_DAX;
    dax_break_layout_final(&dax_inode_of_file);
    REQUIRE_EQ(mapping_nr_pages(&dax_file), 0);
    CHECK_EQ(address_space_destroy(&dax_file), 0);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

/* ---- what is freed after readers, who may need the lock of who frees it ---- */

static DEFINE_MUTEX(list_lock);
static struct completion is_reading;
static unsigned freed_objects;

struct object {
    long value;
    struct rcu_head rcu;
};

static void count_freed(struct rcu_head *head)
{
    kfree(container_of(head, struct object, rcu));
    (void)__atomic_fetch_add(&freed_objects, 1, __ATOMIC_SEQ_CST);
}

static void *read_and_lock(void *unused)
{
    (void)unused;
    rcu_read_lock();
    complete(&is_reading);
    mutex_lock(&list_lock);
    CHECK_EQ(__atomic_load_n(&freed_objects, __ATOMIC_SEQ_CST), 0, "not before the reader has left");
    mutex_unlock(&list_lock);
    rcu_read_unlock();
    return NULL;
}

static struct object *new_object(void)
{
    struct object *object = kzalloc(sizeof *object, GFP_KERNEL);

    REQUIRE_NE(object, NULL);
    return object;
}

TEST_CASE(waiting, freeing_after_readers_waits_for_none)
{
    struct object *read = new_object(), *other = new_object();
    pthread_t thread;

    kernel_set_up();
    init_completion(&is_reading);
    mutex_lock(&list_lock);
    REQUIRE_EQ(pthread_create(&thread, NULL, read_and_lock, NULL), 0);
    wait_for_completion(&is_reading);
    call_rcu(&new_object()->rcu, count_freed);
    kfree_rcu(other, rcu);
    mutex_unlock(&list_lock);
    (void)pthread_join(thread, NULL);
    rcu_barrier();
    CHECK_EQ(freed_objects, 1);

    rcu_read_lock();
    kfree_rcu(read, rcu);
    CHECK_EQ(READ_ONCE(read->value), 0, "it is still there");
    rcu_read_unlock();
    rcu_barrier();
    CHECK_EQ(warnings_take(), 0);
}

static struct rcu_head queued_again;
static unsigned runs, most_runs;

static void queue_again(struct rcu_head *head)
{
    if (__atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST) < __atomic_load_n(&most_runs, __ATOMIC_SEQ_CST)) {
        call_rcu(head, queue_again);
    }
}

static unsigned first, second;

static void note_first(struct rcu_head *head)
{
    (void)head;
    first = ++second;
}

static void note_second(struct rcu_head *head)
{
    (void)head;
    CHECK_EQ(first, second, "the oldest first");
    second = 100;
}

TEST_CASE(waiting, rcu_barriers_wait_for_what_was_queued_before)
{
    struct rcu_head heads[2];

    runs = 0;
    most_runs = UINT_MAX;
    call_rcu(&queued_again, queue_again);
    for (unsigned round = 0; round < 20; round++) {
        rcu_barrier();
    }
    CHECK_GT(__atomic_load_n(&runs, __ATOMIC_SEQ_CST), 0);
    __atomic_store_n(&most_runs, 0, __ATOMIC_SEQ_CST);
    rcu_read_lock();
    call_rcu(&heads[0], note_first);
    call_rcu(&heads[1], note_second);
    rcu_read_unlock();
    rcu_barrier();
    CHECK_EQ(second, 100);
}

/* ---- a driver whose fault waits for a thread that touches something else first ---- */

static struct page *only_page;
static struct completion is_in_fault, may_end_fault;

static vm_fault_t patient_fault(struct vm_fault *vmf)
{
    complete(&is_in_fault);
    wait_for_completion(&may_end_fault);
    get_page(only_page);
    vmf->page = only_page;
    return 0;
}

static const struct vm_operations_struct patient_vm_ops = {.fault = patient_fault};

static int patient_mmap(struct file *file, struct vm_area_struct *vma)
{
    (void)file;
    vma->vm_ops = &patient_vm_ops;
    return 0;
}

static void *touch_patiently(void *view)
{
    *(volatile char *)view = 7;
    return NULL;
}

TEST_CASE(waiting, touches_wait_for_no_others)
{
    static const struct file_operations fops = {.mmap = patient_mmap};
    struct miscdevice misc = {.minor = MISC_DYNAMIC_MINOR, .name = "patient", .fops = &fops};
    struct file *file;
    char *other;
    pthread_t thread;
    char *view;

    kernel_set_up();
    init_completion(&is_in_fault);
    init_completion(&may_end_fault);
    only_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
    REQUIRE_NE(only_page, NULL);
    REQUIRE_EQ(misc_register(&misc), 0);
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
    file = pagemap_compat_open(misc.this_device->devt);
    REQUIRE(!IS_ERR(file));
    view = pagemap_compat_mmap(file, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    other = pagemap_compat_mmap(NULL, 9 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    REQUIRE(!IS_ERR(view) && !IS_ERR(other));
    REQUIRE_EQ(pthread_create(&thread, NULL, touch_patiently, view), 0);
    wait_for_completion(&is_in_fault);
    for (unsigned i = 0; i < 9; i++) {
        *(volatile char *)(other + i * PAGE_SIZE) = 1;
    }
    complete(&may_end_fault);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(*(char *)page_address(only_page), 7);
    CHECK_EQ(pagemap_compat_munmap(other, 9 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_munmap(view, PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    misc_deregister(&misc);
    __free_page(only_page);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(warnings_take(), 0);
}

/* ---- users beside who takes the page out of view, and others who bring it in ---- */

static struct file *shared_file;
static char *shared_view;
static bool stop;

static vm_fault_t ready_fault(struct vm_fault *vmf)
{
    get_page(only_page);
    vmf->page = only_page;
    return 0;
}

static const struct vm_operations_struct ready_vm_ops = {.fault = ready_fault};

static int ready_mmap(struct file *file, struct vm_area_struct *vma)
{
    (void)file;
    vma->vm_ops = &ready_vm_ops;
    return 0;
}

static void use_once(bool pins)
{
    struct page *page;
    long got;

    if (!pins) {
        CHECK_EQ(pagemap_compat_fault(shared_view, true), 0);
        return;
    }
    got = pin_user_pages(shared_view, 1, FOLL_WRITE, &page, NULL);
    CHECK_EQ(got, 1);
    if (got == 1) {
        unpin_user_page(page);
    }
}

static void take_away(void)
{
    for (unsigned round = 0; round < 300; round++) {
        unmap_mapping_range(shared_file->f_mapping, 0, 0, 1);
        (void)sched_yield();
    }
    __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
}

static void *take_away_or_use(void *number)
{
    if (number == NULL) {
        take_away();
    }
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        use_once((uintptr_t)number > 1);
    }
    return NULL;
}

TEST_CASE(waiting, users_beside_revocation_and_faults)
{
    static const struct file_operations fops = {.mmap = ready_mmap};
    struct miscdevice misc = {.minor = MISC_DYNAMIC_MINOR, .name = "ready", .fops = &fops};

    kernel_set_up();
    only_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
    REQUIRE_NE(only_page, NULL);
    REQUIRE_EQ(misc_register(&misc), 0);
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
    shared_file = pagemap_compat_open(misc.this_device->devt);
    REQUIRE(!IS_ERR(shared_file));
    shared_view = pagemap_compat_mmap(shared_file, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(shared_view));
    stop = false;
    kernel_run(take_away_or_use);
    CHECK_EQ(pagemap_compat_fault(shared_view, true), 0);
    CHECK_EQ(pagemap_compat_fault(shared_view + PAGE_SIZE, true), -EFAULT, "a page has one place");
    CHECK_EQ(pagemap_compat_munmap(shared_view, 2 * PAGE_SIZE), 0);
    CHECK_EQ(pagemap_compat_close(shared_file), 0);
    misc_deregister(&misc);
    __free_page(only_page);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    CHECK_EQ(warnings_take(), 0);
}
