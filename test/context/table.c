// SPDX-License-Identifier: BSD-2-Clause
#include "test/context/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "test/shim/ctest.h"

static const char manual[] = "docs/manual.md";
static const char heading[] =
    "| Function | Thread | Read section | Signal handler | Callback | Child | Waits | Allocates |\n";

/* From `text` up to the next |, without blanks around and marks within; where the next cell begins, or NULL. */
static const char *read_cell(const char *text, char *cell, size_t size)
{
    const char *end = strchr(text, '|');
    size_t length = 0;

    if (end == NULL) {
        return NULL;
    }
    for (text += strspn(text, " "); text < end; text++) {
        if (*text != '`' && *text != '*' && length + 1 < size) {
            cell[length++] = *text;
        }
    }
    while (length > 0 && cell[length - 1] == ' ') {
        length--;
    }
    cell[length] = '\0';
    return end + 1;
}

/* A row of several functions, "f(), g()", is one for each. */
static void read_row(struct table *table, const char *line)
{
    char names[NAMES_BYTES], cell[COLUMNS][CELL_BYTES] = {{0}};
    const char *at = read_cell(line + 1, names, sizeof names);

    for (unsigned column = COLUMN_FUNCTION + 1; column < COLUMNS; column++) {
        REQUIRE_NE(at, NULL, "too few columns: %s", line);
        at = read_cell(at, cell[column], sizeof cell[column]);
    }
    REQUIRE_NE(at, NULL, "too few columns: %s", line);
    REQUIRE_STR_EQ(at, "\n", "too many columns: %s", line);
    if (cell[COLUMN_THREAD][0] == '\0') {
        return; /* a heading within the table has its first cell only */
    }
    for (char *rest = names, *name; (name = strtok_r(rest, ",", &rest)) != NULL; table->count++) {
        REQUIRE_LT(table->count, (unsigned)ROWS_MAX);
        memcpy(table->row[table->count], cell, sizeof cell);
        (void)snprintf(table->row[table->count][COLUMN_FUNCTION], CELL_BYTES, "%s", name + strspn(name, " "));
    }
}

void table_read(struct table *table)
{
    FILE *file = fopen(manual, "r");
    char line[NAMES_BYTES];
    bool is_in = false;

    REQUIRE_NE(file, NULL);
    table->count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strcmp(line, heading) == 0) {
            is_in = fgets(line, sizeof line, file) != NULL;
        } else if (is_in && line[0] == '|') {
            read_row(table, line);
        } else {
            is_in = false;
        }
    }
    (void)fclose(file);
    REQUIRE_GT(table->count, 0u, "no such table in %s", manual);
}
