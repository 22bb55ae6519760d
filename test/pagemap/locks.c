// SPDX-License-Identifier: BSD-2-Clause
/*
 * In every test of pagemap: who unlocks a mutex must have locked it. A lock that is left out is a race that a test
 * would have to be lucky to see; its unlock, which the library then makes for nothing, is seen each time.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ThreadSanitizer looks at that itself. */
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)

static int (*really_unlock)(pthread_mutex_t *);

/* The thread that forked last, -1 if none did, and its process: what it has locked is its child's. */
static int forker = -1, forker_process;

static int thread_number(void)
{
    return (int)syscall(SYS_gettid);
}

static void note_fork(void)
{
    forker = thread_number();
    forker_process = getpid();
}

__attribute__((constructor)) static void prepare(void)
{
    *(void **)&really_unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    (void)pthread_atfork(note_fork, NULL, NULL);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int owner = mutex->__data.__owner;

    if (really_unlock == NULL) {
        prepare(); /* another constructor was earlier */
    }
    if (owner != thread_number() && (owner != forker || getpid() == forker_process)) {
        (void)fprintf(stderr, "a mutex is unlocked by who has not locked it\n");
        abort();
    }
    return really_unlock(mutex);
}

#endif
