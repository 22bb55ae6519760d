// SPDX-License-Identifier: BSD-2-Clause
/* What may look like a mistake, and is none. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mistakes.h"

static struct rangemap_entry entry;
static atomic_bool looks;

static void look_up_in_handler(int signal)
{
    (void)signal;
    demand(rangemap_domain_attach(NULL));
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 1, &entry));
    rangemap_read_end(map);
}

static void sections_that_cross(void)
{
    struct rangemap_snapshot snapshot, moved;

    demand(rangemap_domain_read_begin(NULL));
    demand(rangemap_find_held(map, 1, &entry)); /* the section of its domain */
    demand(rangemap_snapshot_begin(map, &snapshot));
    demand(rangemap_read_try_begin(map));
    moved = snapshot;
    demand(rangemap_snapshot_find(&moved, 1, &entry));
    rangemap_snapshot_end(&moved); /* not the innermost */
    demand(rangemap_find_held(map, 1, &entry));
    rangemap_read_end(map);
    rangemap_domain_read_end(NULL);
    (void)signal(SIGUSR1, look_up_in_handler);
    (void)raise(SIGUSR1);
}

static int refuse(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                  void *context)
{
    (void)part, (void)whole, (void)value, (void)context;
    return -EINVAL;
}

static void maps_one_after_the_other(void)
{
    struct rangemap *other;

    demand(rangemap_create(&(struct rangemap_options){.release = do_nothing, .retain = do_nothing}, &other));
    demand(rangemap_insert(other, 0, 99, a, NULL));
    demand(rangemap_carve(other, 40, 59, NULL, NULL));
    demand(rangemap_destroy(other));
    demand(rangemap_create(NULL, &other)); /* perhaps at the same address */
    demand(rangemap_reserve(other, 1));
    demand(rangemap_store(other, 0, 9, a, NULL, NULL));
    demand(rangemap_find(other, 5, &entry));
    demand(rangemap_update(other, 0, 9, refuse, NULL, NULL) == -EINVAL ? 0 : -EBADE);
    demand(rangemap_destroy_later(other, NULL, NULL));
}

static void *hold_it(void *unused)
{
    demand(rangemap_read_begin(map));
    atomic_store(&looks, true);
    for (;;) {
        (void)pause();
    }
    return unused;
}

/* A section of another thread's that the child does not have. */
static void child_destroys(void)
{
    pthread_t thread;
    pid_t child;
    int status;

    (void)pthread_create(&thread, NULL, hold_it, NULL);
    while (!atomic_load(&looks)) {
    }
    child = fork();
    if (child == 0) {
        demand(rangemap_destroy(map));
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    demand(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD);
}

static pthread_key_t at_exit;

static void end_at_exit(void *unused)
{
    (void)unused;
    rangemap_read_end(map);
}

static void *end_in_destructor(void *unused)
{
    (void)pthread_key_create(&at_exit, end_at_exit);
    (void)pthread_setspecific(at_exit, map);
    demand(rangemap_read_begin(map));
    return unused;
}

void none(void)
{
    sections_that_cross();
    maps_one_after_the_other();
    run_thread(end_in_destructor);
    child_destroys();
}
