// SPDX-License-Identifier: BSD-2-Clause
/* What pagemap takes of the process does not grow with the number of references, devices, files and views that were. */
#include <malloc.h>
#include <stdlib.h>

#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/sanitized.h"

struct taken {
    size_t heap_bytes, mapped_bytes;
};

static struct taken taken_now(void)
{
    char text[256] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    struct taken taken;

    REQUIRE_GE(file, 0);
    REQUIRE_GT(read(file, text, sizeof text - 1), 0);
    (void)close(file);
    REQUIRE_EQ(pagemap_barrier(), 0);
    taken.mapped_bytes = strtoull(text, NULL, 10) * PAGE_SIZE;
    taken.heap_bytes = mallinfo2().uordblks;
    return taken;
}

static void one_reference(void)
{
    struct percpu_ref ref;

    REQUIRE_EQ(percpu_ref_init(&ref, NULL, 0), 0);
    percpu_ref_kill(&ref);
    percpu_ref_exit(&ref);
}

static void one_device(void)
{
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 64), 0);
    view = file_rig_view(&rig, 0, 64);
    view[PAGE_SIZE] = 1;
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, 0, &page), 1);
    unpin_user_page(page);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Of `lives` as much is in use at the end as of `warm_up`, but for what a few pages hold. */
static void check_growth(const char *what, void (*live)(void), unsigned warm_up, unsigned lives)
{
    struct taken before, after;

    for (unsigned i = 0; i < warm_up; i++) {
        live();
    }
    before = taken_now();
    for (unsigned i = 0; i < lives; i++) {
        live();
    }
    after = taken_now();
    printf("%s: heap %zu to %zu, mapped %zu to %zu\n", what, before.heap_bytes, after.heap_bytes,
           before.mapped_bytes, after.mapped_bytes);
    CHECK_LE(after.heap_bytes, before.heap_bytes + lives * 4, "%s: heap", what);
    CHECK_LE(after.mapped_bytes, before.mapped_bytes + lives * 4, "%s: mapped", what);
}

static void references(void)
{
    check_growth("references", one_reference, 2000, 50000);
}

static void devices(void)
{
    check_growth("devices", one_device, 200, 1000);
}

static void run(void (*body)(void))
{
    if (SANITIZED) {
        TEST_SKIP("the sanitizer keeps what was freed");
    }
    child_run(body);
}

TEST_CASE(growth, of_references)
{
    run(references);
}

TEST_CASE(growth, of_devices)
{
    run(devices);
}
