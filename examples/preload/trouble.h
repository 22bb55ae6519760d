// SPDX-License-Identifier: BSD-2-Clause
/* The kinds of trouble, and what they have in common. */
#ifndef EXAMPLES_PRELOAD_TROUBLE_H
#define EXAMPLES_PRELOAD_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096 };

/* Says that the program got to its end, by a call that any filter allows. */
void live(void);

/* Ends the program if it could not even make its trouble. */
void check(bool right, const char *what);

void *map_pages(size_t pages);

/* Functions to find in a profile, and what calls one of them for TROUBLE_ROUNDS. */
uint64_t hot_blocked(uint64_t rounds);
uint64_t hot_before(uint64_t rounds);
uint64_t hot_after(uint64_t rounds);
void work(uint64_t (*function)(uint64_t));

/* trouble_threads.c */
void share(void);
void block(void);
void change_user(void);
void work_unseen(void);
void fork_raw_beside_malloc(void);

/* trouble_filters.c */
void confine_by_seccomp(void);
void confine_by_prctl(void);
void confine_with_listener(void);
void confine_loosely(void);
void confine_strictly(void);
void confine_and_exec(void);
void refuse_new_code(void);

#endif
