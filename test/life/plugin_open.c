// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* for readlink, dlfcn.h */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/life/plugin.h"
#include "test/shim/ctest.h"

/* Beside the program: Bazel's sandbox has no other way that is always right. */
static void find(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    char *name;

    REQUIRE_GT(length, 0);
    path[length] = '\0';
    name = strrchr(path, '/') + 1;
    (void)snprintf(name, size - (size_t)(name - path), "%s", LIFE_PLUGIN);
}

static void *function(const struct plugin *plugin, const char *name)
{
    void *address = dlsym(plugin->library, name);

    REQUIRE(address != NULL, "%s", name);
    return address;
}

void plugin_open(struct plugin *plugin, enum rm_rule broken)
{
    char path[4096];
    void (*break_rule)(enum rm_rule);

    find(path, sizeof path);
    plugin->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(plugin->library != NULL, "%s", dlerror());
    /* POSIX's way from an object's address to a function's. */
    *(void **)&plugin->use = function(plugin, "plugin_use");
    *(void **)&plugin->detach = function(plugin, "plugin_detach");
    *(void **)&plugin->unload = function(plugin, "plugin_unload");
    *(void **)&break_rule = function(plugin, "plugin_break");
    break_rule(broken);
}

void plugin_close(struct plugin *plugin)
{
    REQUIRE_EQ(dlclose(plugin->library), 0);
}

uint64_t plugin_mapped_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    uint64_t pages = 0;

    REQUIRE(file != NULL);
    REQUIRE_EQ(fscanf(file, "%" SCNu64, &pages), 1);
    (void)fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
