// SPDX-License-Identifier: BSD-2-Clause
/* A plugin that has the library in it. */
#include "pagemap/pagemap.h"

int plugin_probe(void);

int plugin_probe(void)
{
    struct percpu_ref ref;

    if (percpu_ref_init(&ref, NULL, PERCPU_REF_ALLOW_REINIT) != 0) {
        return 1;
    }
    for (unsigned i = 0; i < 100; i++) {
        percpu_ref_get(&ref);
        percpu_ref_put(&ref);
    }
    percpu_ref_switch_to_atomic(&ref, NULL); /* the last access is one that finds the words closed */
    percpu_ref_switch_to_percpu(&ref);
    percpu_ref_get(&ref);
    return percpu_ref_count(&ref) == 2 ? 0 : 2;
}
