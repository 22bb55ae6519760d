// SPDX-License-Identifier: BSD-2-Clause
/* Plugins with libraries of their own inside come and go beside the life. */
#include <pthread.h>

#include "test/life/life.h"
#include "test/life/plugin.h"
#include "test/shim/ctest.h"

enum rm_rule life_plugin_breaks = RM_NO_RULE;

struct user {
    struct plugin *plugin;
    uint64_t seed;
    const char *fault;
};

static void *use(void *context)
{
    struct user *user = context;

    user->fault = user->plugin->use(user->seed);
    return NULL;
}

const char *life_plugin(struct life *life)
{
    uint64_t mapped_bytes = life_mapped_bytes();
    unsigned count = 1 + (unsigned)prng_below(&life->prng, LIFE_CREW);
    struct user user[LIFE_CREW];
    pthread_t thread[LIFE_CREW];
    const char *fault = NULL;
    struct plugin plugin;

    plugin_open(&plugin, life_plugin_breaks);
    for (unsigned i = 0; i < count; i++) {
        user[i] = (struct user){.plugin = &plugin, .seed = prng_next(&life->prng)};
        REQUIRE_EQ(pthread_create(&thread[i], NULL, use, &user[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(thread[i], NULL);
        fault = fault != NULL ? fault : user[i].fault;
    }
    plugin_close(&plugin);
    if (fault == NULL && life_mapped_bytes() != mapped_bytes) {
        fault = "a closed plugin leaves memory mapped";
    }
    return fault;
}
