// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/mapping/associate.h"

#include <errno.h>
#include <stdlib.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/pagemap.h"

int pm_associate(struct address_space *mapping, uint64_t index, uint64_t pfn, uint64_t nr_pages)
{
    struct pm_association *made = pm_alloc(sizeof *made);
    int error;

    if (made == NULL) {
        return -ENOMEM;
    }
    made->mapping = mapping;
    made->index_difference = index - pfn;
    made->entries = 1;
    error = rangemap_insert(pm_tables()->associations, pfn, pfn + nr_pages - 1, made, NULL);
    if (error != 0) {
        free(made);
    }
    return error == -EEXIST ? -EBUSY : error;
}

int pm_disassociate(uint64_t pfn, uint64_t nr_pages)
{
    return rangemap_carve(pm_tables()->associations, pfn, pfn + nr_pages - 1, NULL, NULL);
}

/* pre: in a read section. */
static const struct pm_association *find(uint64_t pfn)
{
    const struct pm_tables *tables = pm_tables();
    void *value = NULL;

    return tables != NULL && rangemap_lookup(tables->associations, pfn, &value) == 0 ? value : NULL;
}

struct address_space *page_mapping(const struct page *page)
{
    const struct pm_association *found;

    (void)pm_warn_on(!pagemap_read_lock_held(), "page_mapping() outside of a read section");
    found = find(page_to_pfn(page));
    return found == NULL ? NULL : found->mapping;
}

uint64_t page_index(const struct page *page)
{
    uint64_t index = UINT64_MAX;

    if (pagemap_read_lock() == 0) {
        const struct pm_association *found = find(page_to_pfn(page));

        index = found == NULL ? UINT64_MAX : page_to_pfn(page) + found->index_difference;
        pagemap_read_unlock();
    }
    return index;
}
