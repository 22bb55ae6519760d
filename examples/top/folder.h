// SPDX-License-Identifier: BSD-2-Clause
/* Where processes that publish and those that look meet: a folder that only their user can enter. */
#ifndef EXAMPLES_TOP_FOLDER_H
#define EXAMPLES_TOP_FOLDER_H

#include <stddef.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * $XDG_RUNTIME_DIR/rangemap-top, or /tmp/rangemap-top-UID where that is not set, made if it is not there. -EPERM:
 * somebody else owns it or could enter it. -ENAMETOOLONG: its sockets would not fit an address.
 */
int top_folder(char *path, size_t size);

/* The address of the socket of process `pid`, and how long its path is. The folder is one of top_folder(). */
void top_address(const char *folder, long pid, struct sockaddr_un *address);

#ifdef __cplusplus
}
#endif

#endif
