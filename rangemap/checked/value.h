// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checked mode with AddressSanitizer and RANGEMAP_CHECKED_POISON=1: a value that a thread has looked up is poisoned
 * when no section is open any more in which it has been looked up, whether or not it is still in the map. So its use
 * after the section is reported at once, and not only if another thread happens to free it meanwhile.
 *
 * It is for programs that use values inside sections alone: taking a reference inside a section and going on with it
 * after the section would be reported, too, hence the setting. Only values of maps with `release` are poisoned that
 * are the beginning of a block of malloc, which has a size. What does not fit the tables is left alone.
 */
#ifndef RANGEMAP_CHECKED_VALUE_H
#define RANGEMAP_CHECKED_VALUE_H

#include "rangemap/checked/message.h"

#if defined(RM_IS_CHECKED)
/* The calling thread has looked it up in `map`, inside a section of the map's domain or not. */
RM_INTERNAL void rm_checked_value_seen(struct rm_checked_thread *thread, const struct rangemap *map,
                                       void *value);

/* The calling thread's last section of that domain ends. */
RM_INTERNAL void rm_checked_values_end(struct rm_checked_thread *thread,
                                       const struct rangemap_domain *domain);

/*
 * Around a callback of the program's that is given the value: it may be touched, whatever sections of other threads end
 * meanwhile. Afterwards it is as it is: a callback is no look-up. NULL, which is for rm_checked_value_drop(), too:
 * there is no room, and it may be touched until such a section ends; or its map owns no values, which are never
 * poisoned.
 */
struct rm_checked_value;
RM_INTERNAL struct rm_checked_value *rm_checked_value_hold(bool is_owned, void *value);
RM_INTERNAL void rm_checked_value_drop(struct rm_checked_value *held);

/* Nobody else has it any more: it may be touched. */
RM_INTERNAL void rm_checked_value_open(void *value);

RM_INTERNAL void rm_checked_values_fork_child(void);
#endif
#endif
