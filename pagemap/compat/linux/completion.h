// SPDX-License-Identifier: BSD-2-Clause
/* Something that others wait for. */
#ifndef PAGEMAP_COMPAT_LINUX_COMPLETION_H
#define PAGEMAP_COMPAT_LINUX_COMPLETION_H

#include <linux/wait.h>

struct completion {
    atomic_t done;
    wait_queue_head_t wait;
};

#define COMPLETION_INITIALIZER(name)                                                                         \
    {                                                                                                        \
        ATOMIC_INIT(0), __WAIT_QUEUE_HEAD_INITIALIZER(name)                                                  \
    }
#define DECLARE_COMPLETION(name) struct completion name = COMPLETION_INITIALIZER(name)
#define DECLARE_COMPLETION_ONSTACK(name) DECLARE_COMPLETION(name)

void init_completion(struct completion *completion);
void complete(struct completion *completion);
void complete_all(struct completion *completion);
void wait_for_completion(struct completion *completion);
/* 0: the time was over first. */
unsigned long wait_for_completion_timeout(struct completion *completion, unsigned long timeout);

static inline int wait_for_completion_interruptible(struct completion *completion)
{
    wait_for_completion(completion);
    return 0;
}

static inline void reinit_completion(struct completion *completion)
{
    atomic_set(&completion->done, 0);
}

static inline bool completion_done(struct completion *completion)
{
    return atomic_read(&completion->done) != 0;
}

#endif
