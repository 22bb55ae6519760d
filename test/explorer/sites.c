// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/mutations/site.h"

extern struct rm_site __start_rm_sites[], __stop_rm_sites[];

static void name_site(char *name, const struct rm_site *site)
{
    static const char folder[] = "rangemap/";
    const char *file = strstr(site->file, folder), *base = strrchr(site->file, '/');

    file = file != NULL ? file + strlen(folder) : base != NULL ? base + 1 : site->file;
    (void)snprintf(name, SITE_NAME, "%s:%s:%s", file, site->function, site->access);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

unsigned sites_list(char names[SITES][SITE_NAME])
{
    unsigned all = 0, count = 0;

    for (const struct rm_site *site = __start_rm_sites; site < __stop_rm_sites && all < SITES; site++) {
        name_site(names[all++], site);
    }
    qsort(names, all, SITE_NAME, compare);
    for (unsigned i = 0; i < all; i++) {
        if (count == 0 || strcmp(names[i], names[count - 1]) != 0) {
            memmove(names[count++], names[i], SITE_NAME);
        }
    }
    return count;
}

bool sites_weaken(const char *name, bool is_weak)
{
    bool found = false;

    for (struct rm_site *site = __start_rm_sites; site < __stop_rm_sites; site++) {
        char other[SITE_NAME];

        name_site(other, site);
        if (strcmp(name, other) == 0) {
            site->is_weak = (uint32_t)is_weak;
            found = true;
        }
    }
    return found;
}

void sites_forget(void)
{
    for (struct rm_site *site = __start_rm_sites; site < __stop_rm_sites; site++) {
        site->is_reached = 0;
    }
}

bool sites_is_reached(const char *name)
{
    bool is = false;

    for (struct rm_site *site = __start_rm_sites; site < __stop_rm_sites; site++) {
        char other[SITE_NAME];

        name_site(other, site);
        is |= strcmp(name, other) == 0 && site->is_reached != 0;
    }
    return is;
}
