// SPDX-License-Identifier: BSD-2-Clause
/* A plugin with a copy of the library inside, and the program's way to it. */
#ifndef TEST_LIFE_PLUGIN_H
#define TEST_LIFE_PLUGIN_H

#include <stdint.h>

#include "test/mutations/rules.h"

/* Calls of the plugin's functions. */
struct plugin {
    void *library;
    /* Uses the library in the calling thread, in the default domain and one of its own. NULL, or what is wrong. */
    const char *(*use)(uint64_t seed);
    /* The calling thread leaves the default domain. */
    void (*detach)(void);
    /* rangemap_unload(). */
    int (*unload)(int others_are_done);
};

/* Opens the plugin that lies beside the program. `broken`: the rule that its copy of the library breaks, if it can. */
void plugin_open(struct plugin *plugin, enum rm_rule broken);
void plugin_close(struct plugin *plugin);

/* Bytes of address space that the process has, by the kernel. */
uint64_t plugin_mapped_bytes(void);

#endif
