// SPDX-License-Identifier: BSD-2-Clause
/* The table of contexts in docs/manual.md, section 13, as the tests' data. */
#ifndef TEST_CONTEXT_TABLE_H
#define TEST_CONTEXT_TABLE_H

enum column {
    COLUMN_FUNCTION,
    COLUMN_THREAD,
    COLUMN_SECTION,
    COLUMN_SIGNAL,
    COLUMN_CALLBACK,
    COLUMN_CHILD,
    COLUMN_WAITS,
    COLUMN_ALLOCATES,
    COLUMNS
};

enum { ROWS_MAX = 100, CELL_BYTES = 64, NAMES_BYTES = 1000 };

struct table {
    unsigned count;
    char row[ROWS_MAX][COLUMNS][CELL_BYTES]; /* cells without ` and *; a row for each function */
};

/* Reads it. Fails the test if the heading is another than expected. */
void table_read(struct table *table);

#endif
