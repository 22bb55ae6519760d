// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin that was linked with the library is closed. What the kernel reads of a thread when it interrupts it must not
 * point into the plugin any more: it would kill the process.
 */
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "test/pagemap/child.h"

static const char PLUGIN[] = "test/pagemap/libplugin_probe.so";

/* Long enough to be interrupted, which is when the kernel looks. */
static void be_interrupted(void)
{
    for (unsigned i = 0; i < 200; i++) {
        (void)usleep(100);
        (void)sched_yield();
    }
    for (volatile unsigned spin = 0; spin < 20000000; spin++) {
    }
}

static void use_and_close(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW);
    int (*probe)(void);

    REQUIRE_NE(plugin, NULL, "%s", dlerror());
    *(void **)&probe = dlsym(plugin, "plugin_probe");
    REQUIRE_NE(*(void **)&probe, NULL);
    CHECK_EQ(probe(), 0);
    REQUIRE_EQ(dlclose(plugin), 0);
    be_interrupted();
}

/* The thread that used it lives on, as a main thread does. */
static void closed_and_gone(void)
{
    use_and_close();
    (void)fflush(NULL);
    _exit(test_has_failed() ? 1 : 0);
}

TEST_CASE(plugin, closed_right_after_a_get)
{
    child_run(closed_and_gone);
}
