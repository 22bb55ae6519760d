// SPDX-License-Identifier: BSD-2-Clause
/* What stays open while maps change: sections, snapshots, cursors; and what memory does meanwhile. */
#include <errno.h>

#include "test/fuzz/machine.h"

static struct machine_view *view_of(struct machine *machine, const struct machine_operands *operands)
{
    return &machine->view[operands->how / 2 % MACHINE_VIEWS];
}

/*
 * A cursor over a changing map rises or falls, and misses nothing of what has been there all the time. A range
 * may reach back over what was passed, if that was overwritten meanwhile.
 */
static void check_cursor(struct machine *machine, const struct machine_view *view)
{
    const struct entry_list *always = &view->saved.list, *seen = &view->seen;

    for (size_t i = 0; i + 1 < seen->count; i++) {
        const struct rangemap_entry *now = &seen->entry[i], *next = now + 1;

        MACHINE_REQUIRE(machine, view->downwards ? next->start < now->start : next->last > now->last);
    }
    for (size_t i = 0; i < always->count; i++) {
        const struct rangemap_entry *entry = &always->entry[i];
        unsigned times = 0;

        for (size_t j = 0; j < seen->count; j++) {
            times += entry_equal(entry, &seen->entry[j]);
        }
        MACHINE_REQUIRE(machine, entry->last < view->low || entry->start > view->high || times == 1);
    }
}

static void close_view(struct machine *machine, struct machine_view *view)
{
    if (view->kind == VIEW_SNAPSHOT) {
        rangemap_snapshot_end(&view->snapshot);
        machine->sections--;
    }
    view->kind = VIEW_CLOSED;
    view->seen.count = 0;
}

void machine_close_views(struct machine *machine, const struct machine_map *map)
{
    for (unsigned i = 0; i < MACHINE_VIEWS; i++) {
        if (machine->view[i].of == map) {
            close_view(machine, &machine->view[i]);
        }
    }
}

void machine_views_follow(struct machine *machine, const struct machine_map *map)
{
    for (unsigned i = 0; i < MACHINE_VIEWS; i++) {
        struct entry_list *list = &machine->view[i].saved.list;
        size_t kept = 0;

        if (machine->view[i].kind != VIEW_CURSOR || machine->view[i].of != map) {
            continue;
        }
        for (size_t j = 0; j < list->count; j++) {
            const struct rangemap_entry *now = oracle_find(&map->oracle, list->entry[j].start);

            if (now != NULL && entry_equal(now, &list->entry[j])) {
                list->entry[kept++] = list->entry[j];
            }
        }
        list->count = kept;
    }
}

void machine_snapshot(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_view *view = view_of(machine, operands);

    close_view(machine, view);
    if (operands->how % 2) {
        return;
    }
    view->kind = VIEW_SNAPSHOT;
    view->of = operands->map;
    oracle_copy(&view->saved, &operands->map->oracle);
    MACHINE_REQUIRE(machine, rangemap_snapshot_begin(operands->map->map, &view->snapshot) == 0);
    machine->sections++;
    MACHINE_REQUIRE(machine, rangemap_cursor_init_at(&view->cursor, &view->snapshot, operands->start,
                                                     operands->last) == 0);
    oracle_cursor_init(&view->expected, &view->saved, operands->start, operands->last);
}

/* A key of a snapshot, and some steps of its cursor. */
void machine_look_back(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_view *view = view_of(machine, operands);
    struct rangemap_entry entry;
    int result;

    if (view->kind != VIEW_SNAPSHOT) {
        return;
    }
    result = rangemap_snapshot_find(&view->snapshot, operands->start, &entry);
    machine_same_entry(machine, result, &entry, oracle_find(&view->saved, operands->start));
    for (unsigned i = 0; i < operands->how / 4U; i++) {
        if (operands->how % 2 == 0) {
            result = rangemap_cursor_next(&view->cursor, &entry);
            machine_same_entry(machine, result, &entry, oracle_cursor_next(&view->expected));
        } else {
            result = rangemap_cursor_previous(&view->cursor, &entry);
            machine_same_entry(machine, result, &entry, oracle_cursor_previous(&view->expected));
        }
    }
}

void machine_open_cursor(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_view *view = view_of(machine, operands);

    close_view(machine, view);
    view->kind = VIEW_CURSOR;
    view->of = operands->map;
    view->low = operands->start;
    view->high = operands->last;
    view->downwards = operands->how % 2;
    oracle_copy(&view->saved, &operands->map->oracle);
    MACHINE_REQUIRE(machine, rangemap_cursor_init(&view->cursor, operands->map->map, operands->start,
                                                  operands->last) == 0);
}

void machine_step_cursor(struct machine *machine, const struct machine_operands *operands)
{
    struct machine_view *view = view_of(machine, operands);

    for (unsigned i = 0; view->kind == VIEW_CURSOR && i <= operands->how / 4U; i++) {
        struct rangemap_entry entry;
        int result = view->downwards ? rangemap_cursor_previous(&view->cursor, &entry)
                                     : rangemap_cursor_next(&view->cursor, &entry);

        if (result == 0) {
            MACHINE_REQUIRE(machine, entry.start <= view->high && entry.last >= view->low);
            entry_list_append(&view->seen, &entry);
        } else {
            MACHINE_REQUIRE(machine, result == -ENOENT);
            check_cursor(machine, view);
            close_view(machine, view);
        }
    }
}

/* Sections nest, whatever happens meanwhile. */
void machine_section(struct machine *machine, const struct machine_operands *operands)
{
    if (operands->how % 2 == 0 && machine->held < 5) {
        MACHINE_REQUIRE(machine, rangemap_domain_read_begin(machine->domain) == 0);
        machine->held++;
        machine->sections++;
    } else if (machine->held > 0) {
        rangemap_domain_read_end(machine->domain);
        machine->held--;
        machine->sections--;
    }
}

/* No more chunks for some operations. */
void machine_starve(struct machine *machine, const struct machine_operands *operands)
{
    machine->starving = operands->how;
    machine->source.fail_all = operands->how > 0;
}

void machine_reclaim(struct machine *machine, const struct machine_operands *operands)
{
    struct rangemap_domain_statistics statistics;
    int expected = machine->sections > 0 ? -EDEADLK : 0;
    int result;

    MACHINE_REQUIRE(machine, rangemap_domain_poll(machine->domain) >= 0);
    result = operands->how % 2 ? rangemap_domain_barrier(machine->domain)
                               : rangemap_domain_synchronize(machine->domain);
    MACHINE_REQUIRE(machine, result == expected);
    MACHINE_REQUIRE(machine, rangemap_domain_stats(machine->domain, &statistics) == 0);
    MACHINE_REQUIRE(machine, statistics.maps == MACHINE_MAPS);
    MACHINE_REQUIRE(machine,
                    machine->sections > 0 || operands->how % 2 == 0 || statistics.pending_bytes == 0);
}
