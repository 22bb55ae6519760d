// SPDX-License-Identifier: BSD-2-Clause
#include "examples/preload/code.h"

#include <fcntl.h>

#include "examples/preload/sys.h"

bool code_write(uint64_t address, const uint8_t *code, size_t bytes)
{
    long memory = sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits("/proc/self/mem"), O_WRONLY | O_CLOEXEC, 0);
    bool written;

    if (sys_failed(memory)) {
        return false;
    }
    written = sys4(SYS_pwrite64, (uint64_t)memory, sys_bits(code), bytes, address) == (long)bytes;
    (void)sys3(SYS_close, (uint64_t)memory, 0, 0);
    return written;
}
