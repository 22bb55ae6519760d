// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which function an address belongs to, in a program that runs under libpcmap.so. The library is preloaded, so a
 * program finds this function with dlsym(RTLD_DEFAULT, "pcmap_find"), or declares it weak.
 */
#ifndef EXAMPLES_PCMAP_PCMAP_H
#define EXAMPLES_PCMAP_PCMAP_H

#include <stdint.h>

struct pcmap_symbol {
    uint64_t start, last; /* of the function's code, inclusive; without what others inside it have */
    char function[256];   /* cut if it is longer; "[.text]" and the like: only the section is known */
    char object[256];     /* path of the program or library */
};

typedef int pcmap_find_fn(const void *pc, struct pcmap_symbol *symbol);

/*
 * Writes the function that holds `pc` to *symbol. 0; -ENOENT: no loaded object has code there; -ENOMEM: the thread's
 * first call, and no memory; -EAGAIN: this process is not profiled. Any thread; signal handlers of threads that
 * have called it before or were started by pthread_create(). Wait-free from the thread's second call on.
 */
int pcmap_find(const void *pc, struct pcmap_symbol *symbol);

#endif
