// SPDX-License-Identifier: BSD-2-Clause
/* What was noted in handlers and not served yet. */
#ifndef PAGEMAP_SIGBUS_NOTE_H
#define PAGEMAP_SIGBUS_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/base/compiler.h"

struct pm_note {
    uintptr_t address; /* of a page */
    unsigned shift;    /* 1 << shift bytes around it are broken */
    bool needs_action;
};

/* Takes one out; false: there is none. */
PM_INTERNAL bool pm_note_take(struct pm_note *note);

/* Makes the descriptor unreadable; before pm_note_take(), so that what is noted meanwhile makes it readable again. */
PM_INTERNAL void pm_note_reset(void);

/* Makes it readable. Async-signal-safe. */
PM_INTERNAL void pm_note_tell(void);

/* In a child: the notes are the parent's, and so is the descriptor. */
PM_INTERNAL void pm_note_forget(void);

#endif
