// SPDX-License-Identifier: BSD-2-Clause
/* The cursor of rangemap.h over a sorted list of entries that does not change meanwhile. */
#ifndef TEST_ORACLE_ORACLE_CURSOR_H
#define TEST_ORACLE_ORACLE_CURSOR_H

#include "test/oracle/oracle.h"

#ifdef __cplusplus
extern "C" {
#endif

struct oracle_cursor {
    const struct oracle *oracle;
    size_t begin, end;     /* the entries of the window */
    size_t next, previous; /* returned by the next step upwards; one above that of the step downwards */
};

void oracle_cursor_init(struct oracle_cursor *cursor, const struct oracle *oracle, uint64_t start,
                        uint64_t last);
const struct rangemap_entry *oracle_cursor_next(struct oracle_cursor *cursor);
const struct rangemap_entry *oracle_cursor_previous(struct oracle_cursor *cursor);

/* `key` must lie in the window. */
void oracle_cursor_seek(struct oracle_cursor *cursor, uint64_t key);

#ifdef __cplusplus
}
#endif

#endif
