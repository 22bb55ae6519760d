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
static const char *read_cell(const char *text, char *cell)
{
    const char *end = strchr(text, '|');
    size_t length = 0;

    if (end == NULL) {
        return NULL;
    }
    for (text += strspn(text, " "); text < end; text++) {
        if (*text != '`' && *text != '*' && length + 1 < CELL_BYTES) {
            cell[length++] = *text;
        }
    }
    while (length > 0 && cell[length - 1] == ' ') {
        length--;
    }
    cell[length] = '\0';
    return end + 1;
}

static void read_row(struct table *table, const char *line)
{
    const char *at = line + 1;

    REQUIRE_LT(table->count, (unsigned)ROWS_MAX);
    for (unsigned column = 0; column < COLUMNS; column++) {
        at = read_cell(at, table->row[table->count][column]);
        REQUIRE_NE(at, NULL, "too few columns: %s", line);
    }
    REQUIRE_STR_EQ(at, "\n", "too many columns: %s", line);
    /* A heading within the table has its first cell only. */
    table->count += table->row[table->count][COLUMN_THREAD][0] != '\0';
}

void table_read(struct table *table)
{
    FILE *file = fopen(manual, "r");
    char line[1000];
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
