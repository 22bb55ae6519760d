// SPDX-License-Identifier: BSD-2-Clause
/* The places in the library where a memory order can be taken away (test/mutations/weaken.h), by name. */
#ifndef RANGEMAP_TEST_EXPLORER_SITES_H
#define RANGEMAP_TEST_EXPLORER_SITES_H

#include <stdbool.h>

enum { SITES = 512, SITE_NAME = 128 };

/*
 * All names, as "tree/publish.h:rm_publish:cas_ordered", each once, in order. Several places of one function that are
 * of one kind have one name, and so have the copies of a function in a header. Returns how many there are.
 */
unsigned sites_list(char names[SITES][SITE_NAME]);

/* Takes the order away at all places of that name, or gives it back. False: there is none. */
bool sites_weaken(const char *name, bool is_weak);

/* Whether one of that name was reached since all were forgotten. */
void sites_forget(void);
bool sites_is_reached(const char *name);

#endif
