// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* "/2147483647.sock.new" and the end of the string. */
enum { NAME_ROOM = 21 };

int top_folder(char *path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat status;
    int length = runtime != NULL && runtime[0] == '/'
                     ? snprintf(path, size, "%s/rangemap-top", runtime)
                     : snprintf(path, size, "/tmp/rangemap-top-%ld", (long)geteuid());

    if (length < 0 || (size_t)length >= size ||
        (size_t)length + NAME_ROOM > sizeof((struct sockaddr_un *)NULL)->sun_path) {
        return -ENAMETOOLONG;
    }
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || lstat(path, &status) != 0) {
        return -errno;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        return -EPERM;
    }
    return 0;
}

void top_address(const char *folder, long pid, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    (void)snprintf(address->sun_path, sizeof address->sun_path, "%s/%ld.sock", folder, pid);
}
