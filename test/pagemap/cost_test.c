// SPDX-License-Identifier: BSD-2-Clause
/* What views take of this process's memory. What calls cost in instructions is instructions_test.sh's. */
#include <malloc.h>

#include "pagemap/core/domain.h"
#include "pagemap/view/view.h"
#include "test/pagemap/file_rig.h"

/* Sanitizers have a malloc() that tells nothing, and are larger. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_MEASURED = 0 };
#else
enum { IS_MEASURED = 1 };
#endif

enum { VIEWS = 10000 };

/* What malloc() has given out, and the nodes of the library's maps: a view is in both. */
static uint64_t bytes_in_use(void)
{
    struct rangemap_domain_statistics nodes;
    struct mallinfo2 heap = mallinfo2();

    CHECK_EQ(pagemap_barrier(), 0); /* nothing waits to be freed */
    CHECK_EQ(rangemap_domain_stats(pm_domain(), &nodes), 0);
    return heap.uordblks + heap.hblkhd + nodes.node_bytes;
}

/* Of a page each. */
TEST_CASE(cost, ten_thousand_views)
{
    static char *views[VIEWS];
    uint64_t before, bytes;
    struct file_rig rig;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0); /* which locks no memory */
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    before = bytes_in_use();
    for (unsigned i = 0; i < VIEWS; i++) {
        views[i] = file_rig_view(&rig, i % 1024, 1);
    }
    bytes = (bytes_in_use() - before) / VIEWS;
    (void)printf("%lu bytes a view\n", (unsigned long)bytes);
    if (IS_MEASURED) {
        CHECK_GT(bytes, sizeof(struct pm_view), "they are counted");
        CHECK_LE(bytes, 1024);
    }
    for (unsigned i = 0; i < VIEWS; i++) {
        CHECK_EQ(vm_munmap(views[i], PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}
