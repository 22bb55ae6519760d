// SPDX-License-Identifier: BSD-2-Clause
/* The plugin: what a library does that has the map inside, and does not tell those who use it. */
#include <errno.h>
#include <stddef.h>

#include "rangemap/rangemap.h"
#include "test/mutations/rules.h"
#include "test/shim/prng.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED const char *plugin_use(uint64_t seed);
EXPORTED void plugin_detach(void);
EXPORTED int plugin_unload(int others_are_done);
EXPORTED void plugin_break(enum rm_rule rule);

#if defined(RANGEMAP_MUTANTS)
enum rm_rule rm_broken_rule = RM_NO_RULE;

void plugin_break(enum rm_rule rule)
{
    rm_broken_rule = rule;
}
#else
void plugin_break(enum rm_rule rule)
{
    (void)rule;
}
#endif

static const char *update(struct rangemap *map, struct prng *prng)
{
    for (uint64_t i = prng_below(prng, 200); i > 0; i--) {
        uint64_t key = prng_below(prng, 4096);

        if (rangemap_store(map, key, key + 3, NULL, NULL, NULL) != 0 ||
            rangemap_lookup(map, key, NULL) != 0) {
            return "an update in a plugin failed";
        }
    }
    return rangemap_validate(map, NULL, 0) == 0 ? NULL : "a map in a plugin is not valid";
}

static const char *use_map(struct rangemap_domain *domain, struct prng *prng)
{
    struct rangemap_options options = {.domain = domain};
    struct rangemap *map;
    const char *fault;

    if (rangemap_create(&options, &map) != 0) {
        return "a plugin cannot create a map";
    }
    fault = update(map, prng);
    return rangemap_destroy(map) == 0 ? fault : "a plugin cannot destroy a map";
}

const char *plugin_use(uint64_t seed)
{
    struct prng prng = prng_stream(seed, 0);
    struct rangemap_domain *domain;
    const char *fault;

    if (rangemap_domain_create(NULL, &domain) != 0) {
        return "a plugin cannot create a domain";
    }
    fault = use_map(domain, &prng);
    if (rangemap_domain_destroy(domain) != 0) {
        return "a plugin cannot destroy a domain";
    }
    return fault != NULL ? fault : use_map(NULL, &prng);
}

void plugin_detach(void)
{
    (void)rangemap_domain_detach(NULL);
}

/* The other build is like most plugins: it does not know that there is anything to be called at its end. */
int plugin_unload(int others_are_done)
{
#if defined(RANGEMAP_MUTANTS)
    return rangemap_unload(others_are_done != 0);
#else
    (void)others_are_done;
    return -ENOSYS;
#endif
}
