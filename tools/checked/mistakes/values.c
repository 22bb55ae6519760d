// SPDX-License-Identifier: BSD-2-Clause
/* Values outside of their sections, which AddressSanitizer tells. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "mistakes.h"

static struct rangemap_entry entry;
static char *string;

static void free_it(void *value, void *context)
{
    (void)context;
    free(value);
}

static void insert_a_string(void)
{
    string = malloc(32);
    strcpy(string, "hello");
    demand(rangemap_create(&(struct rangemap_options){.release = free_it}, &map));
    demand(rangemap_insert(map, 0, 99, string, NULL));
}

void value_after_release(void)
{
    void *value;

    insert_a_string();
    demand(rangemap_lookup(map, 5, &value));
    demand(rangemap_erase(map, 5, NULL));
    demand(rangemap_domain_barrier(NULL));
    puts(value);
}

void value_after_section(void)
{
    insert_a_string();
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 5, &entry));
    puts(entry.value);
    rangemap_read_end(map);
    puts(entry.value); /* still in the map */
}

void value_without_section(void)
{
    void *value;

    insert_a_string();
    demand(rangemap_lookup(map, 5, &value));
    puts(value);
}

void value_of_cursor_after_section(void)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;

    insert_a_string();
    demand(rangemap_snapshot_begin(map, &snapshot));
    demand(rangemap_cursor_init_at(&cursor, &snapshot, 0, 99));
    demand(rangemap_cursor_next(&cursor, &entry));
    puts(entry.value);
    rangemap_snapshot_end(&snapshot);
    puts(entry.value);
}

static void use_while_displaced(const struct rangemap_entry *displaced, void *context)
{
    (void)context;
    demand(rangemap_find_held(map, 70, &entry)); /* in the library's section */
    puts(displaced->value);
}

static void look_up_in_section_once(void)
{
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 70, &entry));
    if (strcmp(entry.value, "hello") != 0) {
        abort();
    }
    rangemap_read_end(map);
}

static void *look_up_in_section(void *unused)
{
    for (int i = 0; i < 10000; i++) {
        look_up_in_section_once();
    }
    return unused;
}

/* ---- another thread's section ends meanwhile ---- */

static atomic_bool may_end, has_ended, goes_on;

static void *hold_until_told(void *unused)
{
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 5, &entry));
    atomic_store(&goes_on, true);
    while (!atomic_load(&may_end)) {
    }
    rangemap_read_end(map);
    atomic_store(&has_ended, true);
    return unused;
}

static void use_after_others(const struct rangemap_entry *displaced, void *context)
{
    (void)context;
    atomic_store(&may_end, true);
    while (!atomic_load(&has_ended)) {
    }
    puts(displaced->value);
}

static void displace_beside_a_section(void)
{
    pthread_t thread;

    (void)pthread_create(&thread, NULL, hold_until_told, NULL);
    while (!atomic_load(&goes_on)) {
    }
    string = malloc(32);
    strcpy(string, "hello");
    demand(rangemap_store(map, 0, 99, string, use_after_others, NULL));
    (void)pthread_join(thread, NULL);
}

/* ---- a handler ends a section while one is ended ---- */

static atomic_uint handled;

static void look_up(int signal)
{
    struct rangemap_entry seen;

    (void)signal;
    atomic_fetch_add(&handled, 1);
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 70, &seen));
    rangemap_read_end(map);
}

static void *interrupt_often(void *thread)
{
    while (!atomic_load(&has_ended)) {
        (void)pthread_kill(*(pthread_t *)thread, SIGUSR1);
        (void)usleep(20);
    }
    return NULL;
}

static void end_sections_beside_a_handler(void)
{
    pthread_t self = pthread_self(), other;

    atomic_store(&has_ended, false);
    (void)signal(SIGUSR1, look_up);
    (void)pthread_create(&other, NULL, interrupt_often, &self);
    do {
        look_up_in_section(NULL);
    } while (atomic_load(&handled) < 10); /* until the other thread has run */
    atomic_store(&has_ended, true);
    (void)pthread_join(other, NULL);
}

void values_in_sections(void)
{
    insert_a_string();
    demand(rangemap_read_begin(map));
    demand(rangemap_read_begin(map));
    demand(rangemap_find_held(map, 5, &entry));
    rangemap_read_end(map);
    puts(entry.value); /* the outer section is open */
    demand(rangemap_domain_read_begin(NULL));
    rangemap_read_end(map);
    puts(entry.value);
    rangemap_domain_read_end(NULL);
    string = malloc(32);
    strcpy(string, "hello");
    demand(rangemap_store(map, 0, 99, string, use_while_displaced, NULL));
    run_thread(look_up_in_section);
    look_up_in_section(NULL);
    displace_beside_a_section();
    end_sections_beside_a_handler();
    demand(rangemap_destroy(map));
}

/* What updates tell of may be touched to the end of the section, whatever sections ended before. */
void values_that_updates_tell_of(void)
{
    struct rangemap_entry told;
    const struct rangemap_rewrite if_free = {.if_free = true, .conflict = &told};

    insert_a_string();
    look_up_in_section_once();
    demand(rangemap_read_begin(map));
    demand(rangemap_insert(map, 50, 50, NULL, &told) == -EEXIST ? 0 : -EBADE);
    puts(told.value);
    rangemap_read_end(map);
    demand(rangemap_read_begin(map));
    demand(rangemap_splice(map, 50, 50, NULL, 0, &if_free) == -EEXIST ? 0 : -EBADE);
    puts(told.value);
    rangemap_read_end(map);
    demand(rangemap_read_begin(map));
    demand(rangemap_erase(map, 5, &told));
    puts(told.value);
    rangemap_read_end(map);
    demand(rangemap_destroy(map));
}

/* More maps than there is room for: what is not known of one is not held against it. */
void values_of_a_forgotten_map(void)
{
    enum { OTHERS = 40000 };
    static struct rangemap *other[OTHERS];

    insert_a_string();
    look_up_in_section_once();
    for (int i = 0; i < OTHERS; i++) {
        demand(rangemap_create(NULL, &other[i]));
    }
    look_up_in_section_once();
    for (int i = 0; i < OTHERS; i++) {
        demand(rangemap_destroy(other[i]));
    }
    look_up_in_section_once();
    demand(rangemap_destroy(map));
}
