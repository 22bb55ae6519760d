// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* accept4 */
#include "examples/top/publish.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "examples/top/folder.h"
#include "examples/top/report.h"

enum { ANSWER_SECONDS = 2, BACKLOG = 8, MEMBERS = 4 };

/* All of it under the lock, but for the listener's descriptor in its own thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct top_shown *shown;
static struct top_member members[MEMBERS + 1];
static int listener = -1;
static struct sockaddr_un address;
static pid_t owner; /* who made the socket, and takes it away */
static bool handlers_are_set;

static bool is_name(const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;

    for (size_t i = 0; i < length; i++) {
        if (name[i] < ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\') {
            return false;
        }
    }
    return length > 0 && length <= TOP_NAME_MAX;
}

/* ---- the thread ---- */

static void send_all(int connection, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, text, length, MSG_NOSIGNAL);

        if (sent <= 0) {
            return; /* who asked has gone, or does not read */
        }
        text += sent;
        length -= (size_t)sent;
    }
}

/* Composed under the lock, so that no map goes away meanwhile; sent without it. */
static void answer(int connection)
{
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    top_report(shown, members, out);
    (void)pthread_mutex_unlock(&lock);
    if (fclose(out) == 0) {
        (void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        send_all(connection, text, length);
    }
    free(text);
}

static int answered = -1; /* the connection; atomic. A child's copy is closed */

/* The end of the answer reaches who asked also if a child has the connection, too. */
static void end_answer(int connection)
{
    (void)shutdown(connection, SHUT_RDWR);
    __atomic_store_n(&answered, -1, __ATOMIC_RELAXED);
    (void)close(connection);
}

static void *serve(void *unused)
{
    int socket_of_thread = listener;

    (void)unused;
    for (;;) {
        int connection = accept4(socket_of_thread, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0) {
            __atomic_store_n(&answered, connection, __ATOMIC_RELAXED);
            answer(connection);
            end_answer(connection);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            (void)sleep(1); /* out of descriptors or memory: later */
        }
    }
    return NULL;
}

/* No signal of the program's is for this thread. */
static int start_thread(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error;

    sigfillset(&all);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, serve, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -error;
}

/* ---- the socket ---- */

static void remove_socket(void)
{
    if (owner == getpid()) {
        (void)unlink(address.sun_path);
    }
}

static void before_fork(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* The child has no thread that answers. */
static void in_child(void)
{
    if (listener >= 0) {
        (void)close(listener);
    }
    listener = -1;
    if (answered >= 0) {
        (void)close(answered);
    }
    answered = -1;
    while (shown != NULL) {
        struct top_shown *first = shown;

        shown = first->next;
        free(first);
    }
    memset(members, 0, sizeof members);
    (void)pthread_mutex_unlock(&lock);
}

/* Bound under another name and renamed: where there is a socket, somebody listens, or has gone. */
static int bind_and_listen(int descriptor)
{
    struct sockaddr_un made = address;

    (void)strcat(made.sun_path, ".new");
    (void)unlink(made.sun_path);
    if (bind(descriptor, (struct sockaddr *)&made, sizeof made) != 0 || listen(descriptor, BACKLOG) != 0 ||
        rename(made.sun_path, address.sun_path) != 0) {
        return -errno;
    }
    owner = getpid();
    return 0;
}

static int set_handlers(void)
{
    if (!handlers_are_set &&
        (pthread_atfork(before_fork, in_parent, in_child) != 0 || atexit(remove_socket))) {
        return -ENOMEM;
    }
    handlers_are_set = true;
    return 0;
}

static int start(void)
{
    char folder[sizeof address.sun_path];
    int error = top_folder(folder, sizeof folder);

    if (error == 0) {
        error = set_handlers();
    }
    if (error != 0) {
        return error;
    }
    top_address(folder, getpid(), &address);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    error = listener < 0 ? -errno : bind_and_listen(listener);
    if (error == 0) {
        error = start_thread();
    }
    if (error != 0 && listener >= 0) {
        remove_socket();
        (void)close(listener);
        listener = -1;
    }
    return error;
}

/* ---- maps ---- */

static struct top_shown **find(const struct rangemap *map)
{
    struct top_shown **link = &shown;

    while (*link != NULL && (*link)->map != map) {
        link = &(*link)->next;
    }
    return link;
}

static int publish_locked(const struct rangemap *map, const char *name)
{
    struct top_shown **link = find(map);
    struct top_shown *added;
    int error = listener < 0 ? start() : 0;

    if (error != 0) {
        return error;
    }
    if (*link != NULL) {
        return -EEXIST;
    }
    added = calloc(1, sizeof *added);
    if (added == NULL) {
        return -ENOMEM;
    }
    added->map = map;
    (void)strcpy(added->name, name);
    *link = added;
    return 0;
}

int top_publish(const struct rangemap *map, const char *name)
{
    int error;

    if (map == NULL || !is_name(name)) {
        return -EINVAL;
    }
    (void)pthread_mutex_lock(&lock);
    error = publish_locked(map, name);
    (void)pthread_mutex_unlock(&lock);
    return error;
}

void top_withdraw(const struct rangemap *map)
{
    struct top_shown **link;
    struct top_shown *gone;

    (void)pthread_mutex_lock(&lock);
    link = find(map);
    gone = *link;
    if (gone != NULL) {
        *link = gone->next;
        free(gone);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* ---- what others add ---- */

static int publish_member_locked(const char *name, top_member_fn *write)
{
    struct top_member *at = members;
    int error = listener < 0 ? start() : 0;

    while (at->name != NULL && strcmp(at->name, name) != 0) {
        at++;
    }
    if (error != 0 || at->name != NULL) {
        return error != 0 ? error : -EEXIST;
    }
    if (at == &members[MEMBERS]) {
        return -ENOMEM;
    }
    *at = (struct top_member){name, write};
    return 0;
}

int top_publish_member(const char *name, top_member_fn *write)
{
    int error;

    if (write == NULL || !is_name(name)) {
        return -EINVAL;
    }
    (void)pthread_mutex_lock(&lock);
    error = publish_member_locked(name, write);
    (void)pthread_mutex_unlock(&lock);
    return error;
}
