// SPDX-License-Identifier: BSD-2-Clause
/*
 * vm_munmap() beside another one of the same addresses, which shows another file there and ends that view, too. The
 * ends of read sections and free() are ours: all that comes in between comes there.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagemap/mapping/mapping.h"
#include "pagemap/view/view.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 4, BYTES = PAGES * PAGE_SIZE };

static struct file_rig rig;
static struct address_space other;
static char *view;
static unsigned sections; /* that end before the other thread is done; 0: it does nothing */
static bool catches;
static void *caught; /* in place of being freed */

void __real_pagemap_read_unlock(void);
void __wrap_pagemap_read_unlock(void);
void __real_free(void *memory);
void __wrap_free(void *memory);

/* The first section found the view of `rig.file`: it ends, and its addresses become one of `other`. */
static void replace_view(void)
{
    REQUIRE_EQ(vm_munmap(view, BYTES), 0);
    if (vm_mmap(&other, BYTES, PROT_READ, 0) != view) {
        TEST_SKIP("the system has given another hole");
    }
}

static void end_other_view(void)
{
    catches = true;
    REQUIRE_EQ(vm_munmap(view, BYTES), 0);
    pagemap_barrier();
    catches = false;
    CHECK_NE(caught, NULL);
}

void __wrap_pagemap_read_unlock(void)
{
    unsigned now = sections;

    __real_pagemap_read_unlock();
    sections = 0;
    if (now == 2) {
        replace_view();
    } else if (now == 1) {
        end_other_view();
    }
    sections = now > 0 ? now - 1 : 0;
}

/* A view that was freed: another thread makes one of `rig.file` of it, which no map has. */
void __wrap_free(void *memory)
{
    struct pm_view *freed = memory;

    if (!catches) {
        __real_free(memory);
        return;
    }
    CHECK_EQ(freed->mapping, &other);
    freed->mapping = &rig.file;
    caught = memory;
}

TEST_CASE(view_ended, another_thread_was_faster_and_showed_another_file)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(address_space_init(&other, "other", NULL), 0);
    view = file_rig_view(&rig, 0, PAGES);
    sections = 2;
    CHECK_EQ(vm_munmap(view, BYTES), -EINVAL, "it is gone");
    CHECK_EQ(sections, 0u, "all of it happened");
    CHECK_EQ(address_space_destroy(&other), 0);
    free(caught);
    file_rig_tear_down(&rig);
}
