// SPDX-License-Identifier: BSD-2-Clause
/* Waiting for a word to change. */
#ifndef PAGEMAP_COMPAT_LINUX_WAIT_BIT_H
#define PAGEMAP_COMPAT_LINUX_WAIT_BIT_H

#include <linux/wait.h>

/* One queue for all words. */
extern wait_queue_head_t pagemap_compat_var_queue;

#define wait_var_event(word, condition) wait_event(pagemap_compat_var_queue, condition)
#define wait_var_event_killable(word, condition) wait_event_killable(pagemap_compat_var_queue, condition)
/* `cmd` does the waiting, and may let go of locks meanwhile. */
#define ___wait_var_event(word, condition, state, exclusive, ret, cmd)                                       \
    ({                                                                                                       \
        while (!(condition)) {                                                                               \
            cmd;                                                                                             \
        }                                                                                                    \
        (long)(ret);                                                                                         \
    })
#define wake_up_var(word) ((void)(word), wake_up_all(&pagemap_compat_var_queue))

#endif
